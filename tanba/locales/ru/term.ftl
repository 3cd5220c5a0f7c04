# Термины C2PA, IPTC и CAWG простыми словами. Ключ кончается термином стандарта. Машинный перевод, ждёт вычитки.

term-source-trainedAlgorithmicMedia = создано генеративным ИИ
term-source-compositeWithTrainedAlgorithmicMedia = существующий контент изменён генеративным ИИ
term-source-compositeSynthetic = составлено с частями, созданными ИИ
term-source-algorithmicMedia = создано алгоритмом без обучающих данных
term-source-algorithmicallyEnhanced = улучшено программой
term-source-composite = составлено из нескольких источников
term-source-compositeCapture = составлено из снятых частей
term-source-computationalCapture = снято камерой с вычислительной обработкой
term-source-dataDrivenMedia = построено по данным
term-source-digitalCapture = снято цифровой камерой или записано
term-source-digitalCreation = создано человеком в цифровой программе
term-source-humanEdits = отредактировано человеком
term-source-negativeFilm = скан негативной плёнки
term-source-positiveFilm = скан позитивной плёнки
term-source-print = скан отпечатка
term-source-screenCapture = снимок экрана
term-source-virtualRecording = запись виртуального события
term-source-trainedAlgorithmicData = данные, созданные генеративным ИИ
term-source-empty = пустой файл

term-action-c2pa-created = создано
term-action-c2pa-opened = открыто
term-action-c2pa-placed = вставлена часть
term-action-c2pa-edited = отредактировано
term-action-c2pa-edited-metadata = изменены метаданные
term-action-c2pa-enhanced = улучшено
term-action-c2pa-cropped = обрезано
term-action-c2pa-resized = изменён размер
term-action-c2pa-converted = преобразовано
term-action-c2pa-transcoded = перекодировано
term-action-c2pa-published = опубликовано
term-action-c2pa-redacted = сведения удалены
term-action-c2pa-removed = часть убрана
term-action-c2pa-repackaged = переупаковано
term-action-c2pa-unknown = сделано что-то неизвестное
term-action-c2pa-color_adjustments = изменены цвета
term-action-c2pa-filtered = применён фильтр
term-action-c2pa-drawing = дорисовано
term-action-c2pa-orientation = повёрнуто
term-action-c2pa-translated = переведено
term-action-c2pa-dubbed = озвучено
term-action-c2pa-trimmed = укорочено
term-action-c2pa-watermarked = нанесён водяной знак
term-action-c2pa-watermarked-bound = нанесён водяной знак, связан с маркировкой
term-action-c2pa-watermarked-unbound = нанесён водяной знак, не связан с маркировкой
term-action-c2pa-adjustedColor = изменены цвета
term-action-c2pa-addedText = добавлен текст
term-action-c2pa-changedSpeed = изменена скорость
term-action-c2pa-deleted = часть удалена
term-action-c2pa-managed = внесено в систему хранения
term-action-c2pa-produced = выпущено
term-action-c2pa-printed = напечатано
term-action-c2pa-saved = сохранено
term-action-c2pa-copied = скопировано
term-action-c2pa-formatted = отформатировано
term-action-c2pa-version_updated = обновлена версия

term-relation-parentOf = предыдущая версия
term-relation-componentOf = часть
term-relation-inputTo = исходные данные для ИИ

term-state-trusted = цела, за подписавшего ручаются
term-state-valid = цела, подписавший не известен
term-state-invalid = не проходит проверку
term-state-unlabelled = без собственной маркировки
term-state-unknown = не известно

term-layer-c2pa = Удостоверение контента (C2PA)
term-layer-cawg = Личность (CAWG)
term-layer-iptc = Метаданные (IPTC, XMP)
term-layer-aigc = Поле AIGC (GB 45438)
term-layer-vendor = Следы программ
term-layer-watermark = Невидимый водяной знак
term-layer-fingerprint = Поиск похожих
term-layer-visible = Видимая пометка
term-layer-sidecar = Маркировка в отдельном файле
term-layer-text = Маркировка внутри текста
term-layer-tanba = Tanba

term-layerstate-found = найдено
term-layerstate-absent = не найдено
term-layerstate-contradicts = противоречит маркировке
term-layerstate-not_checked = не искали

term-strength-signed = под подписью
term-strength-unsigned = без подписи
term-strength-heuristic = лишь намёк
term-strength-none = нет

term-suspicion-hidden = содержит скрытые знаки
term-suspicion-direction = содержит знаки смены направления письма
term-suspicion-mixed = в одном слове смешаны алфавиты
term-suspicion-lookalike = буквы можно принять за латинские

term-ai-step = ИИ
term-unnamed = без имени
term-whole = весь файл
term-part = часть или более ранняя версия

term-purpose-manifest = за подписавших
term-purpose-tsa = за метки времени
term-purpose-cawg = за удостоверения (CAWG)
term-bucket-success = пройдено
term-bucket-informational = к сведению
term-bucket-failure = не пройдено
term-source-c2pa-ai-disclosure = заявление об ИИ (C2PA)
term-source-cawg-training-mining = условия обучения ИИ (CAWG)
term-source-c2pa-training-mining = условия обучения ИИ (C2PA)
term-source-com-adobe-generative-ai = заявление о генеративном ИИ (Adobe)
term-source-softwareAgent = название программы
term-source-description = слова описания
