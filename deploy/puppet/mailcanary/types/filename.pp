# The name of a file in /etc/mailcanary, without a folder, that is not one of the two configurations.
type Mailcanary::Filename = Pattern[/\A(?!(relay|probes)\.yaml\z)[A-Za-z0-9][A-Za-z0-9._-]*\z/]
