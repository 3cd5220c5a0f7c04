"""What a request means, without HTTP: labelling, verifying, contesting. Endpoints parse, call one of these, answer."""
