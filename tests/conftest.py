"""The properties' options and collection, for every pytest run below this folder."""

pytest_plugins = ("tests.support.pytest_plugin",)
