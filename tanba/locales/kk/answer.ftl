# Бес сұрақ және оларға сөзбен жауап. Машиналық аударма, тексеруді күтуде.

answer-integrity = Өзгермеген бе?
answer-signer = Кім қол қойған?
answer-time = Қашан қол қойылған?
answer-revocation = Сертификат әлі жарамды ма?
answer-ai = ЖИ туралы не айтылған?

answer-integrity-intact = Өзгермеген. Мазмұн мен таңба қол қойылған күйінде.
answer-integrity-broken = Өзгерген. Мазмұн немесе таңба қол қойылғанмен бірдей емес.
answer-integrity-absent = Таңба жоқ, салыстыратын ештеңе жоқ.
answer-integrity-not_evaluated = Мұны тексеру мүмкін болмады.

answer-signer-trusted = { $signer }. Бұл атауға «{ $list }» тізімі кепілдік береді.
answer-signer-trusted-dated = { $signer }. Бұл атауға «{ $list }» тізімі ({ $date }) кепілдік береді.
answer-signer-unknown = Сертификатта былай жазылған: { $signer }. Тізімдеріңіздің ешқайсысы бұл атауға кепілдік бермейді.
answer-signer-invalid = Сертификатта былай жазылған: { $signer }, бірақ қолтаңба немесе сертификат тексеруден өтпейді.
answer-signer-absent = Ешкім: оқуға болатын қолтаңба жоқ.
answer-signer-nobody = аты көрсетілмеген қол қоюшы
answer-signer-issuer = Сертификатты берген: { $issuer }.

answer-time-timestamped = { $when }, мұны уақыт белгісі қызметі растайды: { $authority }.
answer-time-timestamped-unvouched = { $when }, { $authority } берген уақыт белгісі бойынша. Тізімдеріңіздің ешқайсысы бұл қызметке кепілдік бермейді.
answer-time-claimed = { $when }, қол қоюшының өз сағаты бойынша. Мұны басқа ешкім растамайды.
answer-time-claimed-unknown = Таңбада уақыт көрсетілмеген, оны басқа ешкім де растамайды.
answer-time-expired = Сертификат мерзімі { $until } күні өткен, ал бұған дейін қол қойылғанын көрсететін уақыт белгісі жоқ.
answer-time-expired-stamped = Уақыт белгісі көрсеткен сәтте, { $when }, сертификат жарамсыз болған.
answer-time-not_yet_valid = Ол сәтте сертификат әлі күшіне енбеген; мерзімі { $from } күні басталады.
answer-time-absent = Файлда қол қойылған уақыт көрсетілмеген.
answer-time-asof = Жауап { $when } жағдайы бойынша берілді.
answer-time-nobody = аты көрсетілмеген қызмет

answer-revocation-good = Иә. Ол қайтарып алынбаған ({ $source }).
answer-revocation-revoked = Жоқ. Ол қайтарып алынған ({ $reason }).
answer-revocation-revoked-since = Жоқ. Ол { $since } күні қайтарып алынған ({ $reason }).
answer-revocation-unknown = Белгісіз. Сұрау жіберілді, бірақ жарамды жауап келмеді.
answer-revocation-not_checked = Тексерілмеді. Файлда бұл туралы жауап жоқ, желі пайдаланылмады.
answer-revocation-nothing = Тексеретін сертификат жоқ.
answer-revocation-source-stapled = жауап файлда сақталған
answer-revocation-source-ocsp = желі арқылы сұралды, OCSP
answer-revocation-source-crl = берушінің қайтарып алу тізімі
answer-revocation-source-none = дереккөзі көрсетілмеген
answer-revocation-reason-none = себебі көрсетілмеген

answer-ai-signed = { $who } қолтаңбамен мәлімдейді: { $what }.
answer-ai-unsigned = Қол қойылмаған белгіде былай делінген: { $what }. Оны кез келген адам жаза алар еді.
answer-ai-broken = Бұзылған таңбада былай делінген: { $what }. Енді бұған ешкім кепілдік бермейді.
answer-ai-silent = ЖИ туралы ештеңе айтылмаған: «иә» де, «жоқ» та емес.
answer-ai-silent-signed = Таңбада ЖИ туралы ештеңе айтылмаған: «иә» де, «жоқ» та емес.
answer-ai-heuristic = Тікелей ештеңе айтылмаған. Бағдарлама атауы ЖИ-ді меңзейді; бұл — ишара, мәлімдеме емес.
answer-ai-generated = ЖИ жасаған
answer-ai-modified = ЖИ мәнін өзгерте өңдеген
answer-ai-composite = бөліктерден құрастырылған, кемінде біреуін ЖИ жасаған
answer-ai-assisted = мағынасын өзгертпей ЖИ көмегімен өңделген
answer-ai-human_declared = генеративті ЖИ-сіз жасалған деп мәлімделген (бұл — мәлімдеме, тексеру нәтижесі емес)
answer-ai-none_declared = ештеңе
answer-ai-somebody = Қол қоюшы
answer-time-expired-outside = { $when }, қол қоюшының өз сағаты бойынша; ол кезде сертификат жарамсыз болған.
answer-time-expired-claimed = { $when }, қол қоюшының өз сағаты бойынша. Сертификат мерзімі { $until } күні өткен, ал бұған дейін қол қойылғанын көрсететін уақыт белгісі жоқ.
answer-time-after = { $when }: сұралған сәттен кейін.
answer-signer-otherwise = Бірақ қол қойылған нәрсе алдыңыздағымен бірдей емес.
answer-time-timestamped-by = { $when }, мұны уақыт белгісі қызметі растайды: { $authority }. Бұл қызметке «{ $list }» тізімі кепілдік береді.
