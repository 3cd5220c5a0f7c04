"""HTTP routes of the service, one module a subject. They translate; they decide nothing."""
