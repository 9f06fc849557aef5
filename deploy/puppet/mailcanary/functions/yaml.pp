# @summary A value as YAML in one line. Texts stand in single quotes, in which nothing but the quote has a meaning.
function mailcanary::yaml(Mailcanary::Value $value) >> String {
  $value ? {
    Hash    => "{${value.map |$name, $one| { "${mailcanary::yaml($name)}: ${mailcanary::yaml($one)}" }.join(', ')}}",
    Array   => "[${value.map |$one| { mailcanary::yaml($one) }.join(', ')}]",
    String  => "'${regsubst($value, "'", "''", 'G')}'",
    default => String($value),
  }
}
