# @summary The package. It makes the user mailcanary and the folders.
# @api private
class mailcanary::install {
  package { 'mailcanary':
    ensure => $mailcanary::ensure,
  }
}
