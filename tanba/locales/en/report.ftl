# Headings and fixed sentences of reports.

report-history = History
report-redacted = Removed on purpose
report-codes = Codes, for experts
report-second = Second opinion
report-second-agrees = { $engine } comes to the same answers.
report-second-differs = { $engine } answers differently. Neither is preferred.
report-second-none = { $engine } could not give an opinion.
report-code-unknown = No catalogue of Tanba lists this code. It may belong to another program or to a newer standard.
report-title = Verification report
report-answers = Five answers
report-picture = The picture that was checked, drawn again from its pixels
report-excerpt = The beginning of the text; invisible characters are shown as codes
report-names = Names to look at closely
report-statements = Everything that is said about AI
report-statement-layer = Where
report-statement-what = What it says
report-statement-who = Who says so
report-statement-strength = How strongly
report-layers = Where marks were looked for
report-history-note = The newest version comes first. It shows what programs recorded; not everything that happened has to be there.
report-identities = Extra identity (CAWG), shown beside the signer, never part of its trust
report-thumbnail = Stored thumbnail: { $title }
report-facts = The check
report-fact-name = File
report-fact-sha256 = SHA-256 of the file
report-fact-size = Size
report-fact-type = Type
report-fact-checked = Checked
report-fact-asof = Answered as of
report-fact-network = Network
report-fact-certificate = SHA-256 of the signer’s certificate
report-fact-serial = Serial number of the certificate
report-fact-validity = Validity of the certificate
report-fact-algorithm = Signature method
report-fact-tanba = Tanba
report-fact-engines = Checking engines
report-network-yes = used, because you asked for it
report-network-no = not used; nothing left this computer
report-bytes = { $size } bytes
report-lists = Trust lists used
report-lists-none = None. You have chosen no trust list, so nobody could be vouched for.
report-list-name = List
report-list-purpose = Vouches for
report-list-date = Date
report-list-source = Source
report-undated = no date
report-age =
    { $days ->
        [one] { $days } day old
       *[other] { $days } days old
    }
report-old = out of date?
report-command = Repeat this check
report-code = Code
report-code-bucket = Kind
report-code-clause = Defined in
report-code-text = Meaning
report-codes-left = … and { $count } more; the JSON report has all of them.
report-question = Question
report-ours = This report
report-theirs = The other engine
report-cause = Likely cause
report-records = Stored records that may belong to this file
report-footer = Made by Tanba { $version } on { $when }. Compatible with C2PA; the words above follow from the codes listed here, no person judged the file.
report-more = … and { $count } more
report-stands-alone = This page holds everything it needs. It runs no program and loads nothing from anywhere.
