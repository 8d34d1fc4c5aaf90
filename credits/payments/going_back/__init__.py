"""Money that goes back: refunds, disputes, and what becomes of the credits."""
