"""GitLab's runner protocol, client side (gitlab.md part A): wire types in, named outcomes out."""
