# tanba report verify: проверка сохранённого отчёта. Машинный перевод, нужна проверка носителем.

filed-row-report = отчёт
filed-row-about = о файле
filed-row-verdict = вывод
filed-row-reporter = автор
filed-row-time = время
filed-row-certificate = сертификат
filed-row-file = файл
filed-intact = не изменён с момента подписания
filed-broken = ИЗМЕНЁН или подписан не этим ключом
filed-vouched = ручается список «{ $list }»
filed-unvouched = ни один из ваших списков не ручается
filed-time-stamp = метка времени RFC 3161 от { $authority }, за которую ручается список «{ $list }»
filed-time-stamp-unvouched = со слов автора; за метку времени от { $authority } никто не ручается
filed-time-claim = со слов автора
filed-not-valid-then = в то время не действовал
filed-same = те же байты
filed-other = НЕ ТОТ ФАЙЛ, о котором отчёт
filed-note = Действительный отчёт подписан этим ключом и с тех пор не менялся. Правдой содержание это не делает.
filed-row-detector = чем проверено
