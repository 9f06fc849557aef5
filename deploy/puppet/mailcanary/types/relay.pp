# relay.yaml. `mailcanary check` knows every key; here are those without which there is no relay.
type Mailcanary::Relay = Struct[{
  hostname             => Pattern[/\A[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\z/],
  tls                  => Variant[Hash[String[1], Mailcanary::Value], Array[Hash[String[1], Mailcanary::Value], 1]],
  directory            => Hash[String[1], Mailcanary::Value, 1],
  Optional[state]      => Pattern[/\A\//],
  Optional[store]      => Hash[String[1], Mailcanary::Value],
  Optional[listen]     => Hash[String[1], Mailcanary::Value],
  Optional[submission] => Hash[String[1], Mailcanary::Value],
  Optional[checks]     => Hash[String[1], Mailcanary::Value],
  Optional[limits]     => Hash[String[1], Mailcanary::Value],
  Optional[delivery]   => Hash[String[1], Mailcanary::Value],
  Optional[retention]  => Hash[String[1], Mailcanary::Value],
  Optional[web]        => Hash[String[1], Mailcanary::Value],
  Optional[admin]      => Hash[String[1], Mailcanary::Value],
  Optional[log]        => Hash[String[1], Mailcanary::Value],
}]
