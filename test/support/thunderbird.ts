import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { Marionette } from './marionette.ts'
import { freePort } from './ports.ts'
import { portOpen, ServerProcess } from './server-process.ts'

/** Where a message is submitted: `connection security` and port as in the account settings. */
export interface OutgoingServer {
  readonly host: string
  readonly port: number
  readonly security: 'SSL/TLS' | 'STARTTLS'
}

const SECURITY = { STARTTLS: 2, 'SSL/TLS': 3 } as const

/** A real Thunderbird without a window, with one account that only sends. */
export class Thunderbird {
  readonly #process: ServerProcess
  readonly #control: Marionette

  private constructor(process: ServerProcess, control: Marionette) {
    this.#process = process
    this.#control = control
  }

  /**
   * @param folder of the caller, which removes it
   * @param identity whose account it is: the login is the local part of the address
   */
  static async start(
    folder: string,
    identity: { readonly address: string; readonly name: string },
    /** Further preferences. */
    more: Readonly<Record<string, string | number | boolean>> = {},
  ): Promise<Thunderbird> {
    const port = await freePort()
    const profile = join(folder, 'profile')
    await mkdir(profile, { recursive: true })
    const preferences = Object.entries({
      ...settings(identity),
      ...more,
      'marionette.port': port,
    })
    await writeFile(
      join(profile, 'user.js'),
      preferences
        .map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`)
        .join(''),
    )
    const process = await ServerProcess.start({
      name: 'thunderbird',
      command: [
        'thunderbird',
        '--headless',
        '--marionette',
        '--remote-allow-system-access',
        '--no-remote',
        '--profile',
        profile,
      ],
      env: { HOME: folder },
      log: join(folder, 'thunderbird.log'),
      ready: signal => portOpen(port, '127.0.0.1', signal),
    })
    try {
      return new Thunderbird(process, await Marionette.control(port))
    } catch (error) {
      await process.stop()
      throw error
    }
  }

  /** Has it believe an authority. */
  async trust(pem: string): Promise<void> {
    await this.#control.run(
      `Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
        .addCertFromBase64(arguments[0], "C,C,C")`,
      pem.replaceAll(/-----[^-]*-----|\s/g, ''),
    )
  }

  /**
   * Sends a message as the button of the compose window does, with the password that its user would type.
   *
   * @returns what the person is shown: '' for a message that was sent, otherwise the words of the dialogue
   */
  async send(
    server: OutgoingServer,
    message: {
      readonly from: string
      readonly to: string
      readonly subject: string
      readonly text: string
      readonly password: string
    },
  ): Promise<string> {
    const { host, port, security } = server
    const status = await this.#control.run(SEND, host, port, SECURITY[security], message)
    return status === 'sent' ? '' : await this.#control.dialogue()
  }

  /**
   * Sets up an account as the wizard does for somebody who types an address: asks the domain, and takes what it says.
   *
   * @returns what is in the account settings afterwards, or why there is nothing
   */
  async setUpAccount(address: string): Promise<unknown> {
    return this.#control.run(SET_UP, address)
  }

  async stop(): Promise<void> {
    this.#control.close()
    await this.#process.stop()
  }
}

function settings({
  address,
  name,
}: {
  readonly address: string
  readonly name: string
}): Record<string, string | number | boolean> {
  return {
    'mail.provider.suppress_dialog_on_startup': true,
    'mail.spotlight.firstRunDone': true,
    'mail.rights.version': 1,
    'mailnews.start_page.enabled': false,
    'datareporting.policy.dataSubmissionPolicyBypassNotification': true,
    'app.update.enabled': false,
    'network.proxy.type': 0,
    'mail.accountmanager.accounts': 'account1',
    'mail.accountmanager.defaultaccount': 'account1',
    'mail.accountmanager.localfoldersserver': 'server1',
    'mail.account.account1.server': 'server1',
    'mail.account.account1.identities': 'id1',
    'mail.server.server1.type': 'none',
    'mail.server.server1.name': 'Local Folders',
    'mail.server.server1.hostname': 'Local Folders',
    'mail.server.server1.userName': 'nobody',
    'mail.identity.id1.useremail': address,
    'mail.identity.id1.fullName': name,
    'mail.identity.id1.smtpServer': 'smtp1',
    'mail.identity.id1.fcc': false,
    'mail.identity.id1.valid': true,
    'mail.smtpservers': 'smtp1',
    'mail.smtp.defaultserver': 'smtp1',
    'mail.smtpserver.smtp1.type': 'smtp',
    'mail.smtpserver.smtp1.hostname': 'localhost',
    // "Normal password".
    'mail.smtpserver.smtp1.authMethod': 3,
    'mail.smtpserver.smtp1.username': address.replace(/@.*/, ''),
  }
}

const SEND = `
  const [host, port, security, message] = arguments
  Services.prefs.setStringPref("mail.smtpserver.smtp1.hostname", host)
  Services.prefs.setIntPref("mail.smtpserver.smtp1.port", port)
  Services.prefs.setIntPref("mail.smtpserver.smtp1.try_ssl", security)
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs")
  // A connection that is still open would be taken for the other server too.
  for (const { wrappedJSObject: server } of MailServices.outgoingServer.servers) server.closeCachedConnections()
  const [account] = MailServices.accounts.accounts
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields)
  fields.from = message.from
  fields.to = message.to
  fields.subject = message.subject
  const send = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend)
  return await new Promise((resolve, reject) => {
    const nothing = () => {}
    const listener = {
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
      onStartSending: nothing,
      onProgress: nothing,
      onStatus: nothing,
      onSendProgress: nothing,
      onGetDraftFolderURI: nothing,
      onSendNotPerformed: nothing,
      onTransportSecurityError: nothing,
      onStopSending: (_id, status) => resolve(status === 0 ? "sent" : "failed"),
    }
    send
      .createAndSendMessage(
        null, account.identities[0], account.key, fields, false, false, Ci.nsIMsgSend.nsMsgDeliverNow, null,
        "text/plain", message.text, null, null, listener, message.password, "", Ci.nsIMsgCompType.New,
      )
      ?.catch(reject)
  })
`

const SET_UP = `
  const [address] = arguments
  const folder = "resource:///modules/accountcreation/"
  const { FetchConfig } = ChromeUtils.importESModule(folder + "FetchConfig.sys.mjs")
  const { CreateInBackend } = ChromeUtils.importESModule(folder + "CreateInBackend.sys.mjs")
  const { AccountConfig } = ChromeUtils.importESModule(folder + "AccountConfig.sys.mjs")
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs")
  let config
  try {
    config = await FetchConfig.fromISP(address.split("@")[1], address, new AbortController().signal)
  } catch (error) {
    return { refused: String(error?.message ?? error) }
  }
  if (!config) return { refused: "no configuration" }
  AccountConfig.replaceVariables(config, "Alice", address, "the-mail-password")
  const account = await CreateInBackend.createAccountInBackend(config)
  const { incomingServer, identities } = account
  const smtp = MailServices.outgoingServer.getServerByKey(identities[0].smtpServerKey)
  return {
    source: config.source === AccountConfig.kSourceXML ? "xml" : config.source,
    identity: identities[0].email,
    incoming: {
      type: incomingServer.type,
      host: incomingServer.hostname,
      port: incomingServer.port,
      security: incomingServer.socketType,
      username: incomingServer.username,
    },
    outgoing: {
      host: smtp.serverURI.host,
      port: smtp.serverURI.port,
      security: smtp.socketType,
      username: smtp.username,
      method: smtp.authMethod,
    },
    alternatives: config.outgoingAlternatives.map(({ hostname, port }) => [hostname, port]),
  }
`
