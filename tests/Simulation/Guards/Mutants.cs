using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dashboard.Simulation.Guards;

/// <summary>A guard of the product taken away, to see whether the simulation notices.</summary>
internal enum Mutant
{
    None,

    /// <summary>Outcomes are applied whoever holds the row by now.</summary>
    NoFence,

    /// <summary>Any label of the right shape is believed.</summary>
    NoSignature,

    /// <summary>A listing that was cut short counts as a listing.</summary>
    NoCompleteListing,

    /// <summary>Machines are rented and kept whether or not there is money for them.</summary>
    NoHolds,

    /// <summary>One interval in twenty never reaches the ledger.</summary>
    DropsIntervals,
}

internal static class Mutants
{
    public static void Apply(Mutant mutant, IServiceCollection services)
    {
        switch (mutant)
        {
            case Mutant.NoFence:
                services.AddSingleton<Fences, NoFences>();
                break;
            case Mutant.NoSignature:
                services.AddSingleton<InstanceLabels, CredulousLabels>();
                break;
            case Mutant.NoHolds:
                services.AddSingleton<BudgetHolds, HoldsSkipped>();
                break;
            case Mutant.None or Mutant.NoCompleteListing or Mutant.DropsIntervals:
                break; // not a service: see where they are asked for
        }
    }

    /// <summary>Loses some of what a step wanted to save.</summary>
    public static void BeforeSaving(Mutant mutant, DbContext db)
    {
        if (mutant != Mutant.DropsIntervals)
        {
            return;
        }

        foreach (var entry in db.ChangeTracker.Entries<LedgerEntry>().Where(entry => entry.State == EntityState.Added && entry.Entity.Kind == ChargeKind.Gpu && entry.Entity.PeriodStart.ToUnixTimeMilliseconds() % 20 == 0).ToList())
        {
            entry.State = EntityState.Detached;
        }
    }

    private sealed class NoFences : Fences
    {
        public override bool Hold(long row, long? held) => true;
    }

    private sealed class HoldsSkipped(IOptions<BudgetOptions> options) : BudgetHolds(options)
    {
        public override HoldResult Take(AppDbContext db, Job job, Instance instance, bool simulated, DateTimeOffset? startedAt, DateTimeOffset now) => new(null, null, Money.Zero);
    }

    private sealed class CredulousLabels(InstallationIdentity installation) : InstanceLabels(installation)
    {
        private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

        public override InstanceId? Verify(string? label) => label is { Length: 48 } && label.StartsWith("gd1-", StringComparison.Ordinal) ? IdIn(label) : null;

        private static InstanceId IdIn(string label)
        {
            var number = label[13..39].Aggregate(System.Numerics.BigInteger.Zero, (sum, letter) => (sum << 5) | Alphabet.IndexOf(letter, StringComparison.Ordinal));
            var bytes = new byte[16];
            var value = number.ToByteArray(isUnsigned: true, isBigEndian: true);
            value.CopyTo(bytes, 16 - value.Length);
            return new InstanceId(new Guid(bytes, bigEndian: true));
        }
    }
}
