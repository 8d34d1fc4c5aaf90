"""Sites: what they are, how they stand, and what anybody has to say of them."""
