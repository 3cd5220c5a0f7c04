# Remarks with details, for some codes.

note-heading = Also worth knowing
note-tanba-trust-list_frozen = The list “{ $list }” is no longer maintained by its publisher.
note-tanba-revocation-revoked_later = The certificate was withdrawn on { $since }, after the time-stamped moment of signing; for this file it was still good.
note-tanba-text-sections_unchanged = Paragraphs { $numbers } of { $total } are unchanged from a text labelled by { $signer }.
note-tanba-text-mark_encoded = The text holds a mark in an encoded form ({ $encoding }); decode the text and check it again.
