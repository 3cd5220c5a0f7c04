# tanba report verify: a filed report, checked.

filed-row-report = report
filed-row-about = about
filed-row-verdict = verdict
filed-row-reporter = reporter
filed-row-time = time
filed-row-certificate = certificate
filed-row-file = file
filed-intact = unchanged since it was signed
filed-broken = CHANGED, or not signed by this key
filed-vouched = the list “{ $list }” vouches
filed-unvouched = none of your lists vouches
filed-time-stamp = RFC 3161 time stamp of { $authority }, vouched for by the list “{ $list }”
filed-time-stamp-unvouched = the reporter’s claim; nobody vouches for the time stamp of { $authority }
filed-time-claim = the reporter’s claim
filed-not-valid-then = was not valid at that time
filed-same = the same bytes
filed-other = ANOTHER FILE than the report is about
filed-note = A report that holds was signed by this key and not changed since. It does not make the content true.
filed-row-detector = checked with
