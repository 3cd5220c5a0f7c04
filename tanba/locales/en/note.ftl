# Remarks with details, for some codes.

note-heading = Also worth knowing
note-tanba-trust-list_frozen = The list “{ $list }” is no longer maintained by its publisher. Newer signers are not on it.
note-tanba-revocation-revoked_later = The certificate was withdrawn on { $since }, after the time-stamped moment of signing; for this file it was still good.
note-tanba-text-sections_unchanged =
    { $count ->
        [one] Paragraph { $numbers } of { $total } is unchanged from a text labelled by { $signer }.
       *[other] Paragraphs { $numbers } of { $total } are unchanged from a text labelled by { $signer }.
    }{ $foreign ->
        [0] { "" }
        [one] { " " }One paragraph here is not from that text: number { $foreign_numbers } of this copy.
       *[other] { " " }{ $foreign } paragraphs here are not from that text: numbers { $foreign_numbers } of this copy.
    }{ $in_order ->
        [no] { " " }They stand here in another order.
       *[yes] { "" }
    }
note-tanba-text-mark_encoded = The text holds a mark in an encoded form ({ $encoding }); decode the text and check it again.
note-tanba-trust-list_old =
    { $days ->
        [one] Your copy of the list “{ $list }” ({ $date }) is { $days } day old. Whoever was added since is unknown to it: update it before you call a signer unknown.
       *[other] Your copy of the list “{ $list }” ({ $date }) is { $days } days old. Whoever was added since is unknown to it: update it before you call a signer unknown.
    }
note-tanba-trust-list_undated = The list “{ $list }” was added without a date. { $date } is only the day of adding; the list itself may be older.
note-tanba-trust-wrong_usage = The list “{ $list }” leads to this signer, but its certificate is for another use than that list vouches for. No trust follows from it.
note-tanba-label-withdrawn = The issuer withdrew this label on { $day }.
note-tanba-label-ingredient_withdrawn = The history of this file holds a label that its issuer withdrew on { $day }: { $title }.
