# Пять вопросов и ответы на них словами. Машинный перевод, ждёт вычитки.

answer-integrity = Не изменено ли?
answer-signer = Кто подписал?
answer-time = Когда подписано?
answer-revocation = Действует ли ещё сертификат?
answer-ai = Что сказано об ИИ?

answer-integrity-intact = Не изменено. Содержание и маркировка в точности такие, какими были подписаны.
answer-integrity-broken = Изменено. Содержание или маркировка не те, что были подписаны.
answer-integrity-absent = Маркировки нет, сравнивать не с чем.
answer-integrity-not_evaluated = Это проверить не удалось.

answer-signer-trusted = { $signer }. За это имя ручается список «{ $list }».
answer-signer-trusted-dated = { $signer }. За это имя ручается список «{ $list }» от { $date }.
answer-signer-unknown = В сертификате указано: { $signer }. Ни один из ваших списков не ручается за это имя.
answer-signer-invalid = В сертификате указано: { $signer }, но подпись или сертификат не проходят проверку.
answer-signer-absent = Никто: подписи, которую можно прочитать, нет.
answer-signer-nobody = подписавший без имени
answer-signer-issuer = Сертификат выдал: { $issuer }.

answer-time-timestamped = { $when }, это подтверждает служба меток времени: { $authority }.
answer-time-timestamped-unvouched = { $when }, по метке времени от { $authority }. Ни один из ваших списков не ручается за эту службу.
answer-time-claimed = { $when }, по часам самого подписавшего. Больше этого никто не подтверждает.
answer-time-claimed-unknown = Время в маркировке не указано, и никто другой его не подтверждает.
answer-time-expired = Срок сертификата истёк { $until }, а метки времени, которая показала бы подписание до этого дня, нет.
answer-time-expired-stamped = На момент по метке времени, { $when }, сертификат не действовал.
answer-time-not_yet_valid = На тот момент сертификат ещё не действовал; его срок начинается { $from }.
answer-time-absent = Время подписания в файле не указано.
answer-time-asof = Ответ дан по состоянию на { $when }.
answer-time-nobody = служба без имени

answer-revocation-good = Да. Он не отозван ({ $source }).
answer-revocation-revoked = Нет. Он отозван ({ $reason }).
answer-revocation-revoked-since = Нет. Он отозван { $since } ({ $reason }).
answer-revocation-unknown = Неизвестно. Вопрос был задан, но пригодного ответа не пришло.
answer-revocation-not_checked = Не проверялось. Ответа об этом в файле нет, сеть не использовалась.
answer-revocation-nothing = Сертификата для проверки нет.
answer-revocation-source-stapled = ответ хранится в файле
answer-revocation-source-ocsp = спрошено по сети, OCSP
answer-revocation-source-crl = список отзыва издателя
answer-revocation-source-none = источник не указан
answer-revocation-reason-none = причина не указана

answer-ai-signed = { $who } заявляет под подписью: { $what }.
answer-ai-unsigned = Неподписанная пометка гласит: { $what }. Её мог сделать кто угодно.
answer-ai-broken = В нарушенной маркировке сказано: { $what }. За это больше никто не ручается.
answer-ai-silent = Об ИИ ничего не сказано — ни «да», ни «нет».
answer-ai-silent-signed = В маркировке об ИИ ничего не сказано — ни «да», ни «нет».
answer-ai-heuristic = Прямо ничего не сказано. Название программы наводит на мысль об ИИ; это намёк, а не заявление.
answer-ai-generated = создано ИИ
answer-ai-modified = существенно изменено ИИ
answer-ai-composite = составлено из частей, хотя бы одна из которых создана ИИ
answer-ai-assisted = отредактировано с помощью ИИ без изменения смысла
answer-ai-human_declared = заявлено как созданное без генеративного ИИ (заявление, а не результат проверки)
answer-ai-none_declared = ничего
answer-ai-somebody = Подписавший
answer-time-expired-outside = { $when }, по часам самого подписавшего; сертификат тогда не действовал.
answer-time-expired-claimed = { $when }, по часам самого подписавшего. Срок сертификата истёк { $until }, а метки времени, которая показала бы подписание до этого дня, нет.
answer-time-after = { $when }: позже момента, о котором спрошено.
answer-signer-otherwise = Но подписано было не то, что лежит перед вами.
answer-time-timestamped-by = { $when }, это подтверждает служба меток времени: { $authority }. За неё ручается список «{ $list }».
