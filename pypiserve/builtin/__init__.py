"""The plugins that come along. They import the plugin API and the domain, and get no favours."""
