using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Stories;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Simulation.Budgets;

/// <summary>
/// I6, at every commit: what has accrued and what is held passes no limit. While a machine cannot be destroyed, or no server is there
/// to ask for it, by no more than it costs meanwhile. The counters are those of the ledger and of the holds.
/// </summary>
internal sealed class CapWatch(World world)
{
    private const decimal Rounding = 0.000_01m;

    private readonly Dictionary<string, DateTimeOffset> _asked = [];
    private readonly HashSet<JobId> _promised = [];

    /// <summary>Jobs that were not let in.</summary>
    public int Refused { get; private set; }

    /// <summary>The most that a limit was passed by, USD.</summary>
    public decimal Overspent { get; private set; }

    public void Enter(Server server)
    {
        if (world.Schedule.Caps.Count == 0)
        {
            return;
        }

        using var db = server.CreateDbContext();
        foreach (var cap in world.Schedule.Caps)
        {
            db.Budgets.Add(new Budget
            {
                Id = new BudgetId(Guid.CreateVersion7(world.Now)),
                TeamId = TemplateDatabase.Team,
                Scope = cap.OnProject ? BudgetScope.Project : BudgetScope.Team,
                Subject = cap.OnProject ? TemplateDatabase.Project.ToString() : "",
                Simulated = true,
                Period = BudgetPeriod.Total,
                Limit = Money.FromUsd(cap.Usd),
                AtLimit = AtLimit.SaveAndStop,
                CreatedAt = world.Now,
                PeriodStart = BudgetRules.PeriodStart(BudgetPeriod.Total, world.Now),
            });
        }

        db.SaveChanges();
    }

    /// <summary>Lets a job in, or not, by the product's own rule; it has to be right about what fits.</summary>
    public bool Admits(AppDbContext db, Job job, HourlyRate rate, DateTimeOffset now)
    {
        var fits = db.Budgets.AsNoTracking().ToList().TrueForAll(budget => budget.Free >= job.Estimate!.High + rate.For(Pace.Spending.ToDestroy));
        var refused = Admission.Ask(db, job, rate, simulated: true, Pace.Spending.Terms, now) is not null;
        if (refused != (!fits && !job.MayPause))
        {
            world.Violate("I6", $"job {job.Number} {(fits ? "fits" : "does not fit")} and is {(refused ? "refused" : "let in")}");
        }

        Refused += refused ? 1 : 0;
        if (fits)
        {
            _promised.Add(job.Id);
        }

        world.Story.Add(Teller.Person, $"job {job.Number} {(refused ? "does not fit" : fits ? "fits" : "may pause")}");
        return !refused;
    }

    /// <summary>Whether a job had to be paid for to its end.</summary>
    public bool IsPromised(JobId job) => _promised.Contains(job) && Overspent == 0;

    /// <summary>A server wants a machine gone; from here on it costs what nobody decided.</summary>
    public void DestroyAsked(string contract) => _asked.TryAdd(contract, world.Now);

    public void Committed(Server server)
    {
        if (world.Schedule.Caps.Count == 0)
        {
            return;
        }

        using var db = server.CreateDbContext();
        var posted = db.Ledger.Sum(entry => entry.Amount.Micros);
        foreach (var cap in db.Budgets.Select(b => new { Limit = b.Limit.Micros, Accrued = b.Accrued.Micros, Held = b.Held.Micros, Holds = db.BudgetHolds.Where(h => h.BudgetId == b.Id).Sum(h => h.Amount.Micros) }).ToList())
        {
            if (cap.Accrued != posted || cap.Held != cap.Holds)
            {
                world.Violate("I6", string.Create(CultureInfo.InvariantCulture, $"a budget counts ${Usd(cap.Accrued)} accrued and ${Usd(cap.Held)} held; ledger and holds have ${Usd(posted)} and ${Usd(cap.Holds)}"));
            }

            var over = Usd(cap.Accrued + cap.Held - cap.Limit);
            Overspent = Math.Max(Overspent, over);
            if (over > Allowed())
            {
                world.Violate("I6", string.Create(CultureInfo.InvariantCulture, $"${Usd(cap.Accrued)} accrued and ${Usd(cap.Held)} held pass the limit of ${Usd(cap.Limit)}; by ${Allowed():0.000000} they might"));
            }
        }
    }

    /// <summary>What machines cost from when their end was asked for to when it came, and while no server was there.</summary>
    private decimal Allowed()
    {
        var allowed = Rounding;
        foreach (var (contract, since) in _asked)
        {
            var machine = world.Market.State.Contracts.Find(c => c.Id == int.Parse(contract, CultureInfo.InvariantCulture))!;
            allowed += PerHour(machine) * (decimal)((machine.DestroyedAt ?? world.Now) - since).TotalHours;
        }

        return allowed + (world.Watch.Ours.Sum(PerHour) * (decimal)world.Away.TotalHours);
    }

    private static decimal PerHour(Contract contract) => contract.GpuPerHour + contract.DiskPerHour;

    private static decimal Usd(long micros) => micros / 1_000_000m;
}
