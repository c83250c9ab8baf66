"""The properties that judge an answer, and the tests of the kit itself."""
