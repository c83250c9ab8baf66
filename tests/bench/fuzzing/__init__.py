"""Sends the judge what a hostile worker might send, and looks for anything but a refusal or a verdict."""
