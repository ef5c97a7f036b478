using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Machines of the account that were not started here: shown and counted, never touched. A new one is worth a person's look.</summary>
internal static class ForeignMachines
{
    /// <summary>Compares with the listing before; the first one of an account only counts what is there.</summary>
    public static void Note(AppDbContext db, Connection connection, IReadOnlyList<ObservedInstance> foreign, DateTimeOffset at, DateTimeOffset now)
    {
        var rate = foreign.Aggregate(HourlyRate.Zero, (sum, o) => sum + o.RateNow);
        var key = $"foreign/{connection.Id}";
        if (foreign.Count == 0)
        {
            InboxWriter.Resolve(db, connection.TeamId, key, now);
        }
        else if (connection.ListedAt is not null && foreign.Count > connection.ForeignCount)
        {
            var (newest, name) = (foreign.MaxBy(o => o.CreatedAt)!, connection.Market.Name);
            InboxWriter.Open(
                db, connection.TeamId, InboxKinds.ForeignMachine, key, $"Machine {newest.ContractId} at {name} was not started here",
                $"It costs {newest.RateNow.Words()}; {(foreign.Count == 1 ? "it is the only one" : $"{foreign.Count} such machines cost {rate.Words()}")} on {connection.AccountName}. We never touch such machines.",
                "/connections", "See connection", now, rate);
        }

        (connection.ListedAt, connection.ForeignCount, connection.ForeignRate) = (at, foreign.Count, rate);
    }
}
