# Есептердің тақырыптары мен тұрақты сөйлемдері. Машиналық аударма, тексеруді күтуде.

report-history = Тарихы
report-redacted = Әдейі алып тасталған
report-codes = Кодтар, сарапшылар үшін
report-second = Екінші пікір
report-second-agrees = { $engine } дәл сондай жауаптарға келеді.
report-second-differs = { $engine } басқаша жауап береді. Ешқайсысына артықшылық берілмейді.
report-second-none = { $engine } пікір бере алмады.
report-code-unknown = Tanba каталогтарында мұндай код жоқ. Ол басқа бағдарламадан немесе жаңарақ стандарттан болуы мүмкін.
report-title = Тексеру есебі
report-answers = Бес жауап
report-picture = Тексерілген кескін, пикселдері бойынша қайта салынған
report-excerpt = Мәтіннің басы; көрінбейтін таңбалар кодпен көрсетілген
report-names = Мұқият қарайтын атаулар
report-statements = ЖИ туралы айтылғанның бәрі
report-statement-layer = Қайда
report-statement-what = Не айтылған
report-statement-who = Кім айтқан
report-statement-strength = Неге сүйенеді
report-layers = Белгілер қайдан ізделді
report-history-note = Ең жаңа нұсқа жоғарыда. Мұнда бағдарламалар жазып қалдырғаны ғана бар; болғанның бәрі жазылмауы мүмкін.
report-identities = Қосымша куәлік (CAWG): қол қоюшының жанында көрсетіледі, оған сенім қоспайды
report-thumbnail = Сақталған шағын сурет: { $title }
report-facts = Тексеру туралы
report-fact-name = Файл
report-fact-sha256 = Файлдың SHA-256 мәні
report-fact-size = Көлемі
report-fact-type = Түрі
report-fact-checked = Тексерілген уақыты
report-fact-asof = Қай уақыт жағдайы
report-fact-network = Желі
report-fact-certificate = Қол қоюшы сертификатының SHA-256 мәні
report-fact-serial = Сертификаттың сериялық нөмірі
report-fact-validity = Сертификаттың жарамдылық мерзімі
report-fact-algorithm = Қолтаңба тәсілі
report-fact-tanba = Tanba
report-fact-engines = Тексеру қозғалтқыштары
report-network-yes = сіздің сұрауыңызбен пайдаланылды
report-network-no = пайдаланылмады; компьютерден ештеңе жіберілмеді
report-bytes = { $size } байт
report-lists = Пайдаланылған сенім тізімдері
report-lists-none = Жоқ. Сіз ешбір сенім тізімін таңдамағансыз, сондықтан кепілдік беретін ешкім болмады.
report-list-name = Тізім
report-list-purpose = Кімге кепілдік береді
report-list-date = Күні
report-list-source = Дереккөзі
report-undated = күні жоқ
report-age =
    { $days ->
        [one] { $days } күн болған
       *[other] { $days } күн болған
    }
report-old = ескірген бе?
report-command = Осы тексеруді қайталау
report-code = Код
report-code-bucket = Түрі
report-code-clause = Қайда анықталған
report-code-text = Мағынасы
report-codes-left = … және тағы { $count }; бәрі JSON есебінде бар.
report-question = Сұрақ
report-ours = Осы есеп
report-theirs = Басқа қозғалтқыш
report-cause = Ықтимал себебі
report-records = Осы файлға тиесілі болуы мүмкін сақталған жазбалар
report-footer = Tanba { $version } жасаған, { $when }. C2PA-мен үйлесімді; жоғарыдағы сөздер осында тізілген кодтардан шығады, файлды адам бағалаған жоқ.
report-more = … және тағы { $count }
report-stands-alone = Бұл бетте өзіне керектің бәрі бар. Ол бағдарлама іске қоспайды және ештеңе жүктемейді.
