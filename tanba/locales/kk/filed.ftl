# tanba report verify: сақталған есепті тексеру. Машиналық аударма, тексеруді күтуде.

filed-row-report = есеп
filed-row-about = файл туралы
filed-row-verdict = қорытынды
filed-row-reporter = авторы
filed-row-time = уақыты
filed-row-certificate = сертификат
filed-row-file = файл
filed-intact = қол қойылғаннан бері өзгермеген
filed-broken = ӨЗГЕРТІЛГЕН немесе бұл кілтпен қол қойылмаған
filed-vouched = «{ $list }» тізімі кепіл болады
filed-unvouched = тізімдеріңіздің ешқайсысы кепіл болмайды
filed-time-stamp = { $authority } берген RFC 3161 уақыт белгісі, оған «{ $list }» тізімі кепіл
filed-time-stamp-unvouched = автордың сөзі бойынша; { $authority } берген уақыт белгісіне ешкім кепіл емес
filed-time-claim = автордың сөзі бойынша
filed-not-valid-then = ол кезде жарамды болмаған
filed-same = дәл сол байттар
filed-other = есеп БАСҚА ФАЙЛ туралы
filed-note = Жарамды есепке осы кілтпен қол қойылған және ол содан бері өзгермеген. Бұл мазмұнды шындыққа айналдырмайды.
filed-row-detector = тексерген
