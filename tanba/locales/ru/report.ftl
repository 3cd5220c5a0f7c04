# Заголовки и постоянные фразы отчётов. Машинный перевод, ждёт вычитки.

report-history = История
report-redacted = Намеренно удалено
report-codes = Коды, для экспертов
report-second = Второе мнение
report-second-agrees = { $engine } приходит к тем же ответам.
report-second-differs = { $engine } отвечает иначе. Ни один из ответов не предпочтён.
report-second-none = { $engine } не дал ответа.
report-code-unknown = В каталогах Tanba такого кода нет. Возможно, он из другой программы или более нового стандарта.
