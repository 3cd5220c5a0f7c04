# C2PA, IPTC және CAWG терминдері қарапайым сөзбен. Кілт стандарт терминімен аяқталады. Машиналық аударма, тексеруді күтуде.

term-source-trainedAlgorithmicMedia = генеративті ЖИ жасаған
term-source-compositeWithTrainedAlgorithmicMedia = бар мазмұн генеративті ЖИ-мен өзгертілген
term-source-compositeSynthetic = ЖИ жасаған бөліктері бар құрама
term-source-algorithmicMedia = оқыту деректерінсіз алгоритм жасаған
term-source-algorithmicallyEnhanced = бағдарлама жақсартқан
term-source-composite = бірнеше дереккөзден құралған
term-source-compositeCapture = түсірілген бөліктерден құралған
term-source-computationalCapture = есептеп өңдейтін камерамен түсірілген
term-source-dataDrivenMedia = деректерден жасалған
term-source-digitalCapture = цифрлық камерамен түсірілген немесе жазылған
term-source-digitalCreation = адам цифрлық құралдармен жасаған
term-source-humanEdits = адам өңдеген
term-source-negativeFilm = негатив пленкадан сканерленген
term-source-positiveFilm = позитив пленкадан сканерленген
term-source-print = басылымнан сканерленген
term-source-screenCapture = экран суреті
term-source-virtualRecording = виртуалды оқиғаның жазбасы
term-source-trainedAlgorithmicData = генеративті ЖИ жасаған деректер
term-source-empty = бос файл

term-action-c2pa-created = жасалды
term-action-c2pa-opened = ашылды
term-action-c2pa-placed = бөлік қойылды
term-action-c2pa-edited = өңделді
term-action-c2pa-edited-metadata = метадеректер өзгертілді
term-action-c2pa-enhanced = жақсартылды
term-action-c2pa-cropped = қиылды
term-action-c2pa-resized = өлшемі өзгертілді
term-action-c2pa-converted = түрлендірілді
term-action-c2pa-transcoded = қайта кодталды
term-action-c2pa-published = жарияланды
term-action-c2pa-redacted = мәлімет алып тасталды
term-action-c2pa-removed = бөлік алынды
term-action-c2pa-repackaged = қайта қапталды
term-action-c2pa-unknown = белгісіз әрекет жасалды
term-action-c2pa-color_adjustments = түстері түзетілді
term-action-c2pa-filtered = сүзгі қолданылды
term-action-c2pa-drawing = үстінен сызылды
term-action-c2pa-orientation = бұрылды
term-action-c2pa-translated = аударылды
term-action-c2pa-dubbed = дыбысталды
term-action-c2pa-trimmed = қысқартылды
term-action-c2pa-watermarked = су таңбасы салынды
term-action-c2pa-watermarked-bound = таңбаға байланған су таңбасы салынды
term-action-c2pa-watermarked-unbound = таңбаға байланбаған су таңбасы салынды
term-action-c2pa-adjustedColor = түстері түзетілді
term-action-c2pa-addedText = мәтін қосылды
term-action-c2pa-changedSpeed = жылдамдығы өзгертілді
term-action-c2pa-deleted = бөлік жойылды
term-action-c2pa-managed = сақтау жүйесіне енгізілді
term-action-c2pa-produced = шығарылды
term-action-c2pa-printed = басып шығарылды
term-action-c2pa-saved = сақталды
term-action-c2pa-copied = көшірілді
term-action-c2pa-formatted = пішімделді
term-action-c2pa-version_updated = нұсқасы жаңартылды

term-relation-parentOf = алдыңғы нұсқа
term-relation-componentOf = бөлік
term-relation-inputTo = ЖИ үшін бастапқы дерек

term-state-trusted = бүтін, қол қоюшыға кепілдік берілген
term-state-valid = бүтін, қол қоюшы белгісіз
term-state-invalid = тексеруден өтпейді
term-state-unlabelled = өз таңбасы жоқ
term-state-unknown = белгісіз

term-layer-c2pa = Мазмұн куәлігі (C2PA)
term-layer-cawg = Тұлға (CAWG)
term-layer-iptc = Метадеректер (IPTC, XMP)
term-layer-aigc = AIGC өрісі (GB 45438)
term-layer-vendor = Бағдарламалардың іздері
term-layer-watermark = Көрінбейтін су таңбасы
term-layer-fingerprint = Ұқсастарын іздеу
term-layer-visible = Көрінетін белгі
term-layer-sidecar = Бөлек файлдағы таңба
term-layer-text = Мәтін ішіндегі таңба
term-layer-tanba = Tanba

term-layerstate-found = табылды
term-layerstate-absent = табылмады
term-layerstate-contradicts = таңбаға қайшы
term-layerstate-not_checked = ізделмеді

term-strength-signed = қолтаңбамен
term-strength-unsigned = қолтаңбасыз
term-strength-heuristic = ишара ғана
term-strength-none = жоқ

term-suspicion-hidden = жасырын таңбалары бар
term-suspicion-direction = жазу бағытын өзгертетін таңбалары бар
term-suspicion-mixed = бір сөзде әліпбилер араласқан
term-suspicion-lookalike = әріптерін латын әріпі деп оқуға болады

term-ai-step = ЖИ
term-unnamed = атаусыз
term-whole = бүкіл файл
term-part = бөлік немесе бұрынғы нұсқа

term-purpose-manifest = қол қоюшыларға
term-purpose-tsa = уақыт белгілеріне
term-purpose-cawg = куәліктерге (CAWG)
term-bucket-success = өтті
term-bucket-informational = мәлімет үшін
term-bucket-failure = өтпеді
term-source-c2pa-ai-disclosure = ЖИ туралы мәлімдеме (C2PA)
term-source-cawg-training-mining = ЖИ оқыту шарттары (CAWG)
term-source-c2pa-training-mining = ЖИ оқыту шарттары (C2PA)
term-source-com-adobe-generative-ai = генеративті ЖИ туралы мәлімдеме (Adobe)
term-source-softwareAgent = бағдарлама атауы
term-source-description = сипаттама сөздері
