using Dashboard.Domain;
using Dashboard.Web.Features.Costs;
using Microsoft.Data.Sqlite;

namespace Dashboard.Benchmarks.Costs;

/// <summary>What somebody would write by hand for the same table and bars: the sum of each group and day, and of each group in the days before.</summary>
internal static class HandWritten
{
    public static async Task RunAsync(string file, TeamId team, CostPeriod period, CostSplit by)
    {
        await using var connection = new SqliteConnection($"Data Source={file}");
        await connection.OpenAsync();
        var before = period.Before(period.To);
        var key = by switch
        {
            CostSplit.Project => "ProjectId",
            CostSplit.Person => "PersonId",
            CostSplit.Job => "JobId",
            CostSplit.Gpu => "GpuName",
            CostSplit.Provider => "Market_Provider",
            CostSplit.Kind => "Kind",
            CostSplit.Tag => "Tags",
        };
        foreach (var (days, grouped) in new[] { (period, $"{key}, (PeriodStart + $offset) / 86400000"), (before, key) })
        {
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // names of columns, from the table above
            command.CommandText = $"SELECT {grouped}, SUM(Amount_Micros), COUNT(DISTINCT JobId) FROM Ledger WHERE TeamId = $team AND Market_Simulated = 0 AND PeriodStart >= $from AND PeriodStart < $until GROUP BY {grouped}";
#pragma warning restore CA2100
            command.Parameters.AddWithValue("$team", team.Value.ToString().ToUpperInvariant());
            command.Parameters.AddWithValue("$offset", (long)period.Zone.Zone.GetUtcOffset(period.Start).TotalMilliseconds);
            command.Parameters.AddWithValue("$from", days.Start.ToUnixTimeMilliseconds());
            command.Parameters.AddWithValue("$until", days.End.ToUnixTimeMilliseconds());
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                _ = reader.GetInt64(reader.FieldCount - 2);
            }
        }
    }
}
