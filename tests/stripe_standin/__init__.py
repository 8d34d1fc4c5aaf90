"""A stand-in for Stripe: hosted Checkout, its payments, refunds, disputes and webhooks, over real HTTP on this machine.

It keeps to what Stripe documents, and checks every parameter against the classes of Stripe's own library.
`python -m tests.stripe_standin --help` runs it as a process; its `/_standin/…` sets the clock, arms faults and pays.
"""
