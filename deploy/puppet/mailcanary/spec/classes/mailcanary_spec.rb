require 'spec_helper'

relay = {
  'hostname'  => 'relay.example.org',
  'tls'       => { 'certificate' => '/etc/mailcanary/relay.crt', 'key' => '/etc/mailcanary/relay.key' },
  'directory' => { 'domains' => ['example.org'], 'export_file' => { 'path' => '/var/lib/misc/mail-passwords' } },
}

describe 'mailcanary' do
  context 'without any configuration' do
    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_package('mailcanary') }
    it { is_expected.to contain_file('/etc/mailcanary/relay.yaml').with_ensure('absent') }
    it { is_expected.to contain_service('mailcanary').with_ensure(false).with_enable(false) }
  end

  context 'with a relay' do
    let(:params) { { 'relay' => relay } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_service('mailcanary').with_ensure(true).with_enable(true) }
    it { is_expected.to contain_class('mailcanary::config').that_notifies('Class[mailcanary::service]') }

    it 'writes the file for the service to read, after a check' do
      is_expected.to contain_file('/etc/mailcanary/relay.yaml')
        .with_mode('0640').with_group('mailcanary')
        .with_validate_cmd('/usr/bin/mailcanary check --relay %')
        .with_content(/^hostname: 'relay\.example\.org'$/)
        .with_content(/^directory: \{'domains': \['example\.org'\], 'export_file': /)
    end
  end

  context 'with a relay and a prober' do
    let(:params) do
      {
        'relay'   => relay,
        'probes'  => {
          'origins' => { 'relay' => { 'from' => "o'hara@example.org" } },
          'seeds'   => { 'gmail-1' => { 'provider' => 'gmail' } },
          'probes'  => [{ 'name' => 'everyone', 'origins' => ['relay'], 'seeds' => ['gmail-1'], 'every' => '10m' }],
        },
        'secrets' => { 'gmail-1' => sensitive('test-only-password') },
        'options' => ['--verbose'],
      }
    end

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/etc/default/mailcanary').with_content(/^MAILCANARY_OPTIONS=--verbose$/) }

    it 'checks both together' do
      is_expected.to contain_file('/etc/mailcanary/probes.yaml')
        .with_validate_cmd('/usr/bin/mailcanary check --probes % --relay /etc/mailcanary/relay.yaml')
        .with_content(/'o''hara@example\.org'/)
    end

    it 'puts secrets where the configuration finds them, and shows none' do
      is_expected.to contain_file('/etc/mailcanary/gmail-1')
        .with_mode('0640').with_show_diff(false)
        .with_content(sensitive('test-only-password'))
        .that_comes_before('Mailcanary::Settings[probes]')
    end
  end

  context 'with a name of a secret that leads elsewhere' do
    let(:params) { { 'secrets' => { '../shadow' => sensitive('x') } } }

    it { is_expected.to compile.and_raise_error(/secrets/) }
  end

  context 'with a text of two lines' do
    let(:params) { { 'relay' => relay.merge('hostname' => "relay.example.org\nadmin: {}") } }

    it { is_expected.to compile.and_raise_error(/hostname/) }
  end
end
