"""Small companies to learn from and to test with. Each is a workspace of its own; the product never imports them."""
