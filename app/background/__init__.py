"""The leader's loop: what has to happen without anybody asking."""
