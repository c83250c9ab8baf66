"""Images: five generative adversarial networks on CIFAR-10, or on shapes that need no download."""
