# Terms of C2PA, IPTC and CAWG in plain words. Keys end in the standard's own term.

term-source-trainedAlgorithmicMedia = made by generative AI
term-source-compositeWithTrainedAlgorithmicMedia = existing content changed with generative AI
term-source-compositeSynthetic = composite with AI-made parts
term-source-algorithmicMedia = made by an algorithm without training data
term-source-algorithmicallyEnhanced = enhanced by software
term-source-composite = composite of several sources
term-source-compositeCapture = composite of captured parts
term-source-computationalCapture = captured by a camera with computation
term-source-dataDrivenMedia = made from data
term-source-digitalCapture = captured by a digital camera or recorder
term-source-digitalCreation = made by a person with digital tools
term-source-humanEdits = edited by a person
term-source-negativeFilm = scanned from negative film
term-source-positiveFilm = scanned from positive film
term-source-print = scanned from a print
term-source-screenCapture = screenshot
term-source-virtualRecording = recording of a virtual event
term-source-trainedAlgorithmicData = data made by generative AI
term-source-empty = blank

term-action-c2pa-created = created
term-action-c2pa-opened = opened
term-action-c2pa-placed = part placed
term-action-c2pa-edited = edited
term-action-c2pa-edited-metadata = metadata edited
term-action-c2pa-enhanced = enhanced
term-action-c2pa-cropped = cropped
term-action-c2pa-resized = resized
term-action-c2pa-converted = converted
term-action-c2pa-transcoded = transcoded
term-action-c2pa-published = published
term-action-c2pa-redacted = statement redacted
term-action-c2pa-removed = part removed
term-action-c2pa-repackaged = repackaged
term-action-c2pa-unknown = something unknown was done
term-action-c2pa-color_adjustments = colours adjusted
term-action-c2pa-filtered = filtered
term-action-c2pa-drawing = drawn on
term-action-c2pa-orientation = turned
term-action-c2pa-translated = translated
term-action-c2pa-dubbed = dubbed
term-action-c2pa-trimmed = trimmed
term-action-c2pa-watermarked = watermarked
term-action-c2pa-watermarked-bound = watermarked, bound to the label
term-action-c2pa-watermarked-unbound = watermarked, not bound to the label
term-action-c2pa-adjustedColor = colours adjusted
term-action-c2pa-addedText = text added
term-action-c2pa-changedSpeed = speed changed
term-action-c2pa-deleted = part deleted
term-action-c2pa-managed = managed
term-action-c2pa-produced = produced
term-action-c2pa-printed = printed
term-action-c2pa-saved = saved
term-action-c2pa-copied = copied
term-action-c2pa-formatted = formatted
term-action-c2pa-version_updated = version updated

term-relation-parentOf = the version before
term-relation-componentOf = a part
term-relation-inputTo = input to AI

term-state-trusted = intact, vouched for
term-state-valid = intact, signer unknown
term-state-invalid = fails a check
term-state-unlabelled = no label of its own
term-state-unknown = not known

term-layer-c2pa = Content credential (C2PA)
term-layer-cawg = Identity (CAWG)
term-layer-iptc = Metadata (IPTC, XMP)
term-layer-aigc = AIGC field (GB 45438)
term-layer-vendor = Traces of programs
term-layer-watermark = Invisible watermark
term-layer-fingerprint = Look-alike search
term-layer-visible = Visible mark
term-layer-sidecar = Label in a separate file
term-layer-text = Label inside the text
term-layer-tanba = Tanba

term-layerstate-found = found
term-layerstate-absent = not found
term-layerstate-contradicts = contradicts the label
term-layerstate-not_checked = not looked for

term-strength-signed = signed
term-strength-unsigned = unsigned
term-strength-heuristic = a hint only
term-strength-none = none

term-suspicion-hidden = contains hidden characters
term-suspicion-direction = contains direction overrides
term-suspicion-mixed = mixes alphabets inside a word
term-suspicion-lookalike = its letters can be read as Latin ones

term-ai-step = AI
term-unnamed = without a name
term-whole = the whole file
term-part = a part or an earlier version

term-purpose-manifest = signers
term-purpose-tsa = time stamps
term-purpose-cawg = identities (CAWG)
term-bucket-success = passed
term-bucket-informational = for information
term-bucket-failure = failed
term-source-c2pa-ai-disclosure = statement about AI (C2PA)
term-source-cawg-training-mining = terms for AI training (CAWG)
term-source-c2pa-training-mining = terms for AI training (C2PA)
term-source-com-adobe-generative-ai = statement about generative AI (Adobe)
term-source-softwareAgent = name of a program
term-source-description = words of a description
