# What a report does not tell, and what to do next.

advice-limits = What this does not tell you
advice-next = What to do next

advice-limit-truth = Whether what it shows or says is true.
advice-limit-ai = Whether AI was used. No statement about AI is not a statement that there was none.
advice-limit-ai-trust = Whether the statement about AI is true. It is the signer’s word; nothing here examines pixels or style.
advice-limit-ai-law = Whether this is a “synthetic result” in the sense of the law of Kazakhstan (Law 230-VIII, Art. 1(4)). That is for a person to judge.
advice-limit-time = When it was really signed. The time is the signer’s own word.
advice-limit-revocation = Whether the certificate has been withdrawn since.
advice-limit-history = Whether its history is complete. It lists what the programs recorded, not everything that happened.
advice-limit-redacted = What was removed from the record on purpose. Some statements were redacted.
advice-limit-marks = Whether an invisible watermark, or a stored copy of a removed label, exists. This version does not look for them.
advice-limit-list-old =
    { $days ->
        [one] Whether the signer is still vouched for: the list “{ $list }” is { $days } day old.
       *[other] Whether the signer is still vouched for: the list “{ $list }” is { $days } days old.
    }
advice-limit-list-undated = Whether the signer is still vouched for: the list “{ $list }” bears no date.
advice-limit-identity = Whether the extra identities (CAWG) are real. They are shown beside the signer and add nothing to its trust.

advice-do-trusted = Name the signer and the list when you write about it, and file this report with the file’s SHA-256.
advice-do-valid = Find out independently whether this signer is who it says it is. If you know the organisation, ask it for its root certificate and add it with `tanba trust add`.
advice-do-valid-nolist = Choose the lists that you trust (`tanba trust add`), then check again.
advice-do-invalid = Ask the sender for the original file, as it came from the camera or the program. A copy by messenger is not enough.
advice-do-invalid-expired = Ask when it was published, and check again as of that day: `--as-of DATE`.
advice-do-invalid-revoked = Compare the time of signing with the day of withdrawal, and ask the signer what happened.
advice-do-invalid-history = Look at the history below: the earlier version named there is the one to ask about.
advice-do-invalid-identity = Treat the extra identity as unproved, and the rest of the label as the answers above say.
advice-do-unmarked = Ask the sender for the original file. Messengers strip labels; a file sent “as a document” often keeps them.
advice-do-unmarked-search = Check by other means as well: reverse image search, archives, the people involved.
advice-do-unchecked = Ask for the file in its original format and check again.
advice-do-unchecked-remote = Open the address yourself only if you trust it, save the manifest and check again with `--manifest`.
advice-do-unchecked-fragments = Check the whole video, or its first and later pieces together.
advice-do-recovered = Compare the two side by side, with your own eyes, before you write anything.
advice-do-disagree = The label and another note in the file contradict each other about AI. Ask which one is right; do not choose for yourself.
advice-do-engines = Two independent checkers disagree about this file. Quote neither alone; the table below says on what they differ.
advice-do-list-old = Update the trust list “{ $list }” (`tanba trust update`) and check again.
advice-do-names = Look at the names closely: some contain letters that look like others, or hidden characters.

advice-code-nothing = Nothing to do.
advice-code-producer = The program that wrote the label made a mistake, or someone changed it. Tell its maker, and ask for a file labelled anew.
advice-code-remote = Get the manifest from that place yourself, if you trust it, and check again with `--manifest`.
advice-code-original = Ask for the original file, as it left the camera or the program.
advice-code-trust = This is no sign of forgery. Find out who the signer is; add its root certificate with `tanba trust add` if you trust it.
advice-code-signer = Ask the signer for a file signed with a proper certificate.
advice-code-time = Find out when it was published, and check again as of that day with `--as-of`.
advice-code-tsa = Add a list of time-stamp authorities: `tanba trust add --purpose tsa`.
advice-code-stamp = Do not rely on this time. Everything else can still be right.
advice-code-revoked = Compare the time of signing with the day of withdrawal, and ask the signer.
advice-code-issuer = Do not rely on this label; ask its issuer why it was withdrawn.
advice-code-service = Ask again later, or look the label up at the service that issued it.
advice-code-network = Check again with `--network`, if you may ask the issuer online.
advice-code-history = Ask for the earlier version or the part itself, and check it separately.
advice-code-text = Ask for the text as a file. Copying and pasting often damages such labels.
advice-code-identity = Treat this identity as unproved. It says nothing against the signer of the label itself.
advice-code-fragments = Check the whole video, or all its pieces together.
advice-code-disagree = Ask the publisher which of the two is right. Do not choose for yourself.
advice-code-error = Read the message and the hint beside this code; they say what happened.
advice-do-invalid-restored = Ask for the text as a file, to be sure. What changed on the way is named above.
advice-limit-list-frozen = Whether the signer would still be vouched for today: the list “{ $list }” is no longer maintained.
advice-code-lists = Choose or update your lists: `tanba trust add`, `tanba trust update`.
advice-code-publisher = The publisher’s program wrote this wrongly. Tell its maker; nothing follows from it about the content.
advice-limit-time-stamp = When it was really signed. There is a time stamp, but nobody on your lists vouches for the authority that made it.
advice-limit-time-none = When it was signed. Neither the signer nor anybody else gives a time that can be relied on.
advice-do-invalid-alone = Find the content that this label belongs to, and check the two together: `tanba verify CONTENT --manifest THIS.c2pa`.
advice-code-alone = Check the manifest together with its content: `tanba verify CONTENT --manifest FILE.c2pa`.
advice-do-valid-partly = Name the signer and the list, and say that the rest of the label is not vouched for.
