# @summary The files below /etc/mailcanary, and /etc/default/mailcanary.
# @api private
class mailcanary::config {
  $folder = '/etc/mailcanary'

  file { $folder:
    ensure => directory,
    owner  => 'root',
    group  => 'mailcanary',
    mode   => '0750',
  }

  # Before the configuration that names them: it is checked with them in place.
  $mailcanary::secrets.each |$name, $content| {
    file { "${folder}/${name}":
      ensure    => file,
      owner     => 'root',
      group     => 'mailcanary',
      mode      => '0640',
      content   => $content,
      show_diff => false,
      before    => Mailcanary::Settings['relay', 'probes'],
    }
  }

  if $mailcanary::relay =~ Undef {
    $relay_option = ''
  } else {
    $relay_option = " --relay ${folder}/relay.yaml"
  }

  mailcanary::settings { 'relay':
    folder   => $folder,
    settings => $mailcanary::relay,
    check    => '--relay %',
  }

  # Read together with the relay's file, since both run in one process.
  mailcanary::settings { 'probes':
    folder   => $folder,
    settings => $mailcanary::probes,
    check    => "--probes %${relay_option}",
    require  => Mailcanary::Settings['relay'],
  }

  file { '/etc/default/mailcanary':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => epp('mailcanary/default.epp', { 'options' => $mailcanary::options }),
  }
}
