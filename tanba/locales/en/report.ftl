# Headings and fixed sentences of reports.

report-history = History
report-redacted = Removed on purpose
report-codes = Codes, for experts
report-second = Second opinion
report-second-agrees = { $engine } comes to the same answers.
report-second-differs = { $engine } answers differently. Neither is preferred.
report-second-none = { $engine } could not give an opinion.
report-code-unknown = No catalogue of Tanba lists this code. It may belong to another program or to a newer standard.
