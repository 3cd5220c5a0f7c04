# Есептердің тақырыптары мен тұрақты сөйлемдері. Машиналық аударма, тексеруді күтуде.

report-history = Тарихы
report-redacted = Әдейі алып тасталған
report-codes = Кодтар, сарапшылар үшін
report-second = Екінші пікір
report-second-agrees = { $engine } дәл сондай жауаптарға келеді.
report-second-differs = { $engine } басқаша жауап береді. Ешқайсысына артықшылық берілмейді.
report-second-none = { $engine } пікір бере алмады.
