using Microsoft.Data.Sqlite;

namespace Dashboard.EndToEnd.Harness;

/// <summary>One instance row of the server's database.</summary>
internal sealed record InstanceRow(string Label, string? ContractId, string Status, int JobNumber, Guid JobId, int Attempt, string? EndReason);

/// <summary>One job.</summary>
internal sealed record JobRow(int Number, string Status, string? StopReason, string? Message)
{
    public bool HasEnded => Status is "Succeeded" or "Failed" or "Cancelled";
}

/// <summary>One entry of the ledger.</summary>
internal sealed record MeteredEntry(long Id, string ContractId, string Kind, decimal Usd);

/// <summary>A machine's charges of one kind in the ledger, or on the provider's bill.</summary>
internal sealed record BookedSum(string ContractId, string Kind, decimal Usd);

/// <summary>The server's own books, read from its database file beside it.</summary>
internal sealed class Books(string database)
{
    public IReadOnlyList<InstanceRow> Instances() => Read(
        "SELECT i.Label, i.ContractId, i.Status, j.Number, i.JobId, i.AttemptNumber, i.EndReason FROM Instances i JOIN Jobs j ON j.Id = i.JobId",
        row => new InstanceRow(row.GetString(0), Text(row, 1), row.GetString(2), row.GetInt32(3), row.GetGuid(4), row.GetInt32(5), Text(row, 6)));

    public IReadOnlyList<JobRow> Jobs() => Read(
        "SELECT Number, Status, StopReason, Message FROM Jobs ORDER BY Number",
        row => new JobRow(row.GetInt32(0), row.GetString(1), Text(row, 2), Text(row, 3)));

    /// <summary>Rows of jobs and instances that somebody holds a lease on.</summary>
    public int Leases() => Read("SELECT (SELECT COUNT(*) FROM Jobs WHERE LeaseUntil IS NOT NULL) + (SELECT COUNT(*) FROM Instances WHERE LeaseUntil IS NOT NULL)", row => row.GetInt32(0))[0];

    /// <summary>When the account was last listed completely and compared with every open row.</summary>
    public DateTimeOffset? ListedAt() => Read("SELECT MAX(ListedAt) FROM Connections", row => row.IsDBNull(0) ? (DateTimeOffset?)null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)))[0];

    /// <summary>Eight characters: what labels of this installation begin with.</summary>
    public string Installation() => Read("SELECT Label FROM Installations", row => row.GetString(0))[0];

    /// <summary>Contract ids of machines with our label and no row, and what a person chose for them; those still listed.</summary>
    public IReadOnlyList<(string ContractId, string Choice)> UnknownMachines() => Read("SELECT ContractId, Choice FROM UnknownMachines WHERE GoneAt IS NULL", row => (row.GetString(0), row.GetString(1)));

    public string? Quarantine() => Read("SELECT QuarantineReason FROM Installations", row => Text(row, 0))[0];

    /// <summary>What SQLite finds wrong with the file; empty when nothing is.</summary>
    public IReadOnlyList<string> Damage() => [.. Read("PRAGMA integrity_check", row => row.GetString(0)).Where(said => said != "ok")];

    /// <summary>What happened to every job, oldest first, a line each.</summary>
    public IReadOnlyList<string> Events() => Read(
        "SELECT j.Number, e.At, e.Kind, e.Text FROM JobEvents e JOIN Jobs j ON j.Id = e.JobId ORDER BY e.Id",
        row => $"#{row.GetInt32(0)} {DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)):HH:mm:ss.fff} {row.GetString(2)}: {row.GetString(3)}");

    /// <summary>What was posted from observed intervals and bytes, before any adjustment to the provider's bill.</summary>
    public IReadOnlyList<MeteredEntry> Metered() => Read(
        "SELECT l.Id, i.ContractId, l.Kind, l.Amount_Micros FROM Ledger l JOIN Instances i ON i.Id = l.InstanceId WHERE l.Kind <> 'Adjustment'",
        row => new MeteredEntry(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt64(3) / 1_000_000m));

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>What the ledger holds of each machine and kind, corrections included.</summary>
    public IReadOnlyList<BookedSum> Booked() => Read(
        """
        SELECT i.ContractId, COALESCE(l.CorrectsKind, l.Kind) AS K, SUM(l.Amount_Micros) FROM Ledger l JOIN Instances i ON i.Id = l.InstanceId
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        row => new BookedSum(row.GetString(0), row.GetString(1), row.GetInt64(2) / 1_000_000m));

    /// <summary>Whether every kind of this machine's charges was compared in full.</summary>
    public bool IsSettled(string contractId) => Read(
        "SELECT l.Settled, i.ContractId FROM BillLines l JOIN Instances i ON i.Id = l.InstanceId",
        row => (Settled: row.GetBoolean(0), Contract: row.GetString(1))).Where(row => row.Contract == contractId).ToList() is { Count: > 0 } lines && lines.All(line => line.Settled);

    private List<T> Read<T>(string query, Func<SqliteDataReader, T> rowOf)
    {
        using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this class
        command.CommandText = query;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(rowOf(reader));
        }

        return rows;
    }
}
