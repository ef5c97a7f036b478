using System.Collections.Concurrent;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>Rows that searches returned, per key, since the server started. Keys are kept as hashes.</summary>
internal sealed class SearchedRows
{
    private readonly ConcurrentDictionary<string, long> _rows = new();

    public void Add(string account, int rows) => _rows.AddOrUpdate(account, rows, (_, before) => before + rows);

    public long Of(string account) => _rows.GetValueOrDefault(account);
}
