import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { historyCountsContract } from './history-counts.ts'
import { historyContract } from './history.ts'

historyContract('a history in SQLite', async () => new SqliteHistory(':memory:'))
historyCountsContract(
  'the counts of a history in SQLite',
  async () => new SqliteHistory(':memory:'),
)
