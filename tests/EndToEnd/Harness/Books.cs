using System.Globalization;
using Dashboard.Tests.Shared;
using Microsoft.Data.Sqlite;

namespace Dashboard.EndToEnd.Harness;

/// <summary>One instance row of the server's database.</summary>
internal sealed record InstanceRow(string Label, string? ContractId, string Status, int JobNumber);

/// <summary>The server's own books, read from its database file beside it.</summary>
internal sealed class Books(string database)
{
    public IReadOnlyList<InstanceRow> Instances() => Read(
        "SELECT i.Label, i.ContractId, i.Status, j.Number FROM Instances i JOIN Jobs j ON j.Id = i.JobId",
        row => new InstanceRow(row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetString(2), row.GetInt32(3)));

    /// <summary>Dollars posted for each contract, before any adjustment to the provider's bill.</summary>
    public IReadOnlyDictionary<string, decimal> MeteredUsd() => Read(
        "SELECT i.ContractId, SUM(l.Amount_Micros) FROM Ledger l JOIN Instances i ON i.Id = l.InstanceId WHERE l.Kind <> 'Adjustment' GROUP BY i.ContractId",
        row => (Contract: row.GetString(0), Usd: row.GetInt64(1) / 1_000_000m)).ToDictionary(row => row.Contract, row => row.Usd);

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
