# A quotation held against the label of a text: `tanba text quoted`.

quote-whole = This is the labelled text itself, unchanged.
quote-not_listed = The label of that text lists no paragraphs (it was made without them), so only the whole can be compared; this is not the whole text unchanged.
quote-unproven = The label of that text does not hold itself, so nothing follows from it.
quote-limit = A paragraph counts as unchanged when its words and signs are the same; spaces and line ends do not count. What stood around it and what was left out is not said here: read the whole text before you quote it.
