import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { historyContract } from './history.ts'

historyContract('a history in SQLite', async () => new SqliteHistory(':memory:'))
