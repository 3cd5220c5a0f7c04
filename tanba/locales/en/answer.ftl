# The five questions, and their answers in words.

answer-integrity = Is it unchanged?
answer-signer = Who signed it?
answer-time = When was it signed?
answer-revocation = Is the certificate still good?
answer-ai = What is said about AI?

answer-integrity-intact = Yes. The content and the label are exactly what was signed.
answer-integrity-broken = No. The content or the label is not what was signed.
answer-integrity-absent = There is no label to compare with.
answer-integrity-not_evaluated = This could not be checked.

answer-signer-trusted = { $signer }. The list “{ $list }” vouches for this name.
answer-signer-trusted-dated = { $signer }. The list “{ $list }” of { $date } vouches for this name.
answer-signer-unknown = The certificate says { $signer }. None of your lists vouches for this name.
answer-signer-invalid = The certificate says { $signer }, but the signature or the certificate fails a check.
answer-signer-absent = Nobody: there is no signature that could be read.
answer-signer-nobody = a signer without a name
answer-signer-issuer = Certificate issued by { $issuer }.

answer-time-timestamped = { $when }, confirmed by the time-stamp authority { $authority }.
answer-time-timestamped-unvouched = { $when }, according to the time stamp of { $authority }. None of your lists vouches for this authority.
answer-time-claimed = { $when }, by the signer’s own clock. Nobody else confirms it.
answer-time-claimed-unknown = The label gives no time, and nobody else confirms one.
answer-time-expired = The certificate ran out on { $until }, and no time stamp shows that it was signed before.
answer-time-expired-stamped = The certificate did not cover the time stamped moment, { $when }.
answer-time-not_yet_valid = The certificate was not valid yet at that moment; it begins on { $from }.
answer-time-absent = The file gives no time of signing.
answer-time-asof = Answered as of { $when }.
answer-time-nobody = an authority without a name

answer-revocation-good = Yes. It has not been withdrawn ({ $source }).
answer-revocation-revoked = No. It was withdrawn ({ $reason }).
answer-revocation-revoked-since = No. It was withdrawn on { $since } ({ $reason }).
answer-revocation-unknown = Unknown. The question was asked, and no usable answer came back.
answer-revocation-not_checked = Not checked. The file holds no answer about it, and no network was used.
answer-revocation-nothing = There is no certificate to check.
answer-revocation-source-stapled = an answer kept in the file
answer-revocation-source-ocsp = asked online, OCSP
answer-revocation-source-crl = the issuer’s revocation list
answer-revocation-source-none = source not stated
answer-revocation-reason-none = no reason given

answer-ai-signed = { $who } states under signature: { $what }.
answer-ai-unsigned = An unsigned note says: { $what }. Anybody could have written it.
answer-ai-broken = The broken label says: { $what }. Nobody vouches for that any more.
answer-ai-silent = Nothing is said about AI, neither for nor against.
answer-ai-silent-signed = The label says nothing about AI, neither for nor against.
answer-ai-heuristic = Nothing is stated. A program’s name hints at AI; that is a hint, not a statement.
answer-ai-generated = made by AI
answer-ai-modified = changed by AI in substance
answer-ai-composite = put together from parts, at least one of them made by AI
answer-ai-assisted = edited with help of AI, without changing what it says
answer-ai-human_declared = declared as made without generative AI (a declaration, not a finding)
answer-ai-none_declared = nothing
answer-ai-somebody = The signer
answer-time-expired-outside = { $when }, by the signer’s own clock; the certificate was not valid then.
answer-time-expired-claimed = { $when }, by the signer’s own clock. The certificate ran out on { $until }, and no time stamp shows that it was signed before.
answer-time-after = { $when }: later than the moment that was asked about.
answer-signer-otherwise = What this signer signed is not what lies before you.
answer-time-timestamped-by = { $when }, confirmed by the time-stamp authority { $authority }. The list “{ $list }” vouches for this authority.
