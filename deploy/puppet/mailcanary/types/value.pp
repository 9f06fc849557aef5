# What a value in a configuration file can be. Texts have one line.
type Mailcanary::Value = Variant[
  Boolean,
  Integer,
  Pattern[/\A[^\n\r]*\z/],
  Array[Mailcanary::Value],
  Hash[Pattern[/\A[^\n\r]+\z/], Mailcanary::Value],
]
