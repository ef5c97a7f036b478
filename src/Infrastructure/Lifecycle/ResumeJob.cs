using Dashboard.Domain.Budgets;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>A paused job goes on by itself once there is money: a new period, a raised limit, another job's end, funds at the provider.</summary>
internal sealed class ResumeJob(IOptions<BudgetOptions> options)
{
    /// <summary>After the pause began.</summary>
    public static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(15);

    public void Run(AdvanceJob.JobChange change)
    {
        var job = change.Job;
        var connection = change.Db.Connections.Single(c => c.Id == job.ConnectionId);
        if (job.PausedAtRate is null)
        {
            job.NextStepAt = null; // a person moves it
            return;
        }

        if (IsFunded(change, connection) && connection.Status == ConnectionStatus.Works)
        {
            job.MoveTo(JobStatus.Submitted, change.Now);
            (job.StopReason, job.Message, job.NextStepAt, job.PausedAtRate) = (null, null, change.Now, null);
            change.Say("resumed", "There is money for it again; it goes on.");
            InboxWriter.Resolve(change.Db, job.TeamId, $"job/{job.Id}", change.Now);
            return;
        }

        job.NextStepAt = change.Now + options.Value.ResumeEvery;
    }

    private bool IsFunded(AdvanceJob.JobChange change, Connection connection)
    {
        var (job, terms, rate) = (change.Job, options.Value.Terms, change.Job.PausedAtRate!.Value);
        var hour = rate.For(terms.Longest + terms.ToDestroy);
        if (job.StopReason == StopReason.CreditExhausted && !(connection.Credit >= hour))
        {
            return false; // a balance that is not known is not funded
        }

        var budgets = BudgetBook.Concerned(change.Db, BudgetBook.SpenderOf(job, connection.Market.Simulated), change.Now);
        var own = budgets.SingleOrDefault(b => b.Scope == BudgetScope.Job);
        if (own?.Free < rate.For(terms.Least + terms.ToDestroy))
        {
            return false; // its own limit is a person's word
        }

        var whole = job.MayPause || job.Estimate is null ? null : job.Estimate;
        var needed = whole is null ? hour : BudgetRules.Needed(whole, rate, own?.Free, terms);
        var others = budgets.Where(b => b.Scope != BudgetScope.Job).ToList();
        return BudgetRules.InTheWay(others, needed) is null && (whole is null || BudgetBook.Promise(change.Db, job.Id, others, needed));
    }
}
