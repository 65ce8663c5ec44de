"""The Black Friday drill: shoppers over HTTP on this machine, goods coming in and prices changing meanwhile."""
