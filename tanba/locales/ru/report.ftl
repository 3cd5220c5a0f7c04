# Заголовки и постоянные фразы отчётов. Машинный перевод, ждёт вычитки.

report-history = История
report-redacted = Намеренно удалено
report-codes = Коды, для экспертов
report-second = Второе мнение
report-second-agrees = { $engine } приходит к тем же ответам.
report-second-differs = { $engine } отвечает иначе. Ни один из ответов не предпочтён.
report-second-none = { $engine } не дал ответа.
report-code-unknown = В каталогах Tanba такого кода нет. Возможно, он из другой программы или более нового стандарта.
report-title = Отчёт о проверке
report-answers = Пять ответов
report-picture = Проверенное изображение, заново нарисованное по пикселям
report-excerpt = Начало текста; невидимые знаки показаны кодами
report-names = Имена, к которым стоит присмотреться
report-statements = Всё, что сказано об ИИ
report-statement-layer = Где
report-statement-what = Что сказано
report-statement-who = Кто говорит
report-statement-strength = Чем подкреплено
report-layers = Где искали пометки
report-history-note = Сверху — самая новая версия. Здесь то, что записали программы; в записи могло попасть не всё.
report-identities = Дополнительное удостоверение (CAWG): показано рядом с подписавшим и доверия ему не прибавляет
report-thumbnail = Сохранённая миниатюра: { $title }
report-facts = О проверке
report-fact-name = Файл
report-fact-sha256 = SHA-256 файла
report-fact-size = Размер
report-fact-type = Тип
report-fact-checked = Проверено
report-fact-asof = По состоянию на
report-fact-network = Сеть
report-fact-certificate = SHA-256 сертификата подписавшего
report-fact-serial = Серийный номер сертификата
report-fact-validity = Срок действия сертификата
report-fact-algorithm = Способ подписи
report-fact-tanba = Tanba
report-fact-engines = Программы проверки
report-network-yes = использовалась по вашей просьбе
report-network-no = не использовалась; компьютер ничего не отправлял
report-bytes = { $size } байт
report-lists = Использованные списки доверия
report-lists-none = Нет. Вы не выбрали ни одного списка доверия, поэтому ручаться было некому.
report-list-name = Список
report-list-purpose = За кого ручается
report-list-date = Дата
report-list-source = Источник
report-undated = без даты
report-age =
    { $days ->
        [one] { $days } день
        [few] { $days } дня
       *[many] { $days } дней
    }
report-old = устарел?
report-command = Повторить эту проверку
report-code = Код
report-code-bucket = Вид
report-code-clause = Где определён
report-code-text = Значение
report-codes-left = … и ещё { $count }; все они есть в отчёте JSON.
report-question = Вопрос
report-ours = Этот отчёт
report-theirs = Другая программа
report-cause = Вероятная причина
report-records = Сохранённые записи, которые могут относиться к этому файлу
report-footer = Составлено Tanba { $version }, { $when }. Совместимо с C2PA; слова выше следуют из перечисленных здесь кодов, человек файл не оценивал.
report-more = … и ещё { $count }
report-stands-alone = На этой странице есть всё, что ей нужно. Она не запускает программ и ничего не загружает.
report-added = день добавления, дата не указана
