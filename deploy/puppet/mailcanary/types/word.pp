# A word of a command line that no shell and no systemd would take apart.
type Mailcanary::Word = Pattern[/\A[A-Za-z0-9.\/_=:-]+\z/]
