# The page for a folder of files. What needs a person comes first.

summary-title = Folder report
summary-lead =
    { $total ->
        [one] { $total } file was checked. What needs a person comes first.
       *[other] { $total } files were checked. What needs a person comes first.
    }
summary-finding = What was found
summary-same = Same bytes as { $name }.
summary-invalid = Label fails a check
    .note = Broken, expired or withdrawn: each line says which. Ask for the originals.
summary-disagree = Contradictions
    .note = Layers of a file, or two checking engines, tell different stories. A person must look.
summary-unchecked = Could not be checked
    .note = Nothing is known about these files yet.
summary-recovered = Record found, no label in the file
    .note = Compare each with its record before you rely on it.
summary-note = No label, but an unsigned note about AI
    .note = Anybody could have written these notes.
summary-valid = Labelled, signer not known to you
    .note = Intact. Nobody on your lists vouches for the names.
summary-unmarked = No label found
    .note = This says nothing about who or what made these files.
summary-trusted = Labelled and vouched for
    .note = Intact, and a list that you chose vouches for the signer.
summary-duplicate = Duplicates
    .note = The same bytes as a file listed above.
summary-say =
    { $total ->
        [one] { $total } file: { $found }
       *[other] { $total } files: { $found }
    }
summary-say-duplicates =
    { $count ->
        [one] { $count } duplicate
       *[other] { $count } duplicates
    }
summary-say-resumed = { $count } from the ledger
summary-error = error
summary-progress = { $count } checked
summary-watching = tanba: watching; stop with Ctrl-C
summary-partly = Signer vouched for, something else in the label is not
    .note = Intact. Each line says what nobody on your lists vouches for.
