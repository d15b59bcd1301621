"""Use cases of environments and of what is deployed to them."""
