using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Scheduling;
using Dashboard.Web.Features.Budgets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A person, or their program, asks for a job. Saves it and nudges provisioning; rents nothing itself.</summary>
public sealed class SubmitJob(AppDatabase database, QuoteOffers quotes, INudgeProvisioning nudge, ChangeFeed changes, IOptions<BudgetOptions> budgets, TimeProvider time)
{
    /// <summary>How long a person waits for a provider that has not been asked within the last minute.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    public async Task<SubmitResult> RunAsync(TeamContext team, JobRequest request, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        if (request.IdempotencyKey is { } key && await FindAsync(team, key, ct) is { } earlier)
        {
            return earlier;
        }

        var problems = JobRequestValidator.Problems(request).ToList();
        if (request.Limits.FinishBy <= time.GetUtcNow())
        {
            problems.Add(new FieldProblem("Limits.FinishBy", "Name a time that has not passed."));
        }

        if (request.Order?.Until is { } until && (until <= time.GetUtcNow() || until > time.GetUtcNow() + PriceOrderRules.Longest))
        {
            problems.Add(new FieldProblem("Order.Until", "Name a time that has not passed, at most 60 days ahead."));
        }

        if (problems.Count > 0)
        {
            return new SubmitResult.Invalid(problems);
        }

        var quote = await quotes.RecentAsync(team, request, Patience, ct);
        if (quote is { Unanswered: true, Problem: { } silent })
        {
            return new SubmitResult.NoAnswer(silent);
        }

        var chosen = quote.Offers.FirstOrDefault(q => q.Offer.Id == request.OfferId) ?? (quote.Offers.Count > 0 ? quote.Offers[0] : null);
        try
        {
            return await SaveAsync(team, request, chosen is null ? null : RoleCheck.AtItsPrice(request, chosen), ct);
        }
        catch (DbUpdateException) when (request.IdempotencyKey is not null)
        {
            // The same key may have won a race between the look-up and here.
            if (await FindAsync(team, request.IdempotencyKey, ct) is { } winner)
            {
                return winner;
            }

            throw;
        }
    }

    private static JobLimits WithDeadline(JobRequest request, JobLimits limits, DateTimeOffset now) =>
        request.FinishWithin is { } within && !(limits.FinishBy < now + within) ? limits with { FinishBy = now + within } : limits;

    private async Task<SubmitResult?> FindAsync(TeamContext team, string key, CancellationToken ct)
    {
        await using var db = await database.ForTeamAsync(team, ct);
        var job = await db.Jobs.AsNoTracking().Where(j => j.TeamId == team.TeamId && j.IdempotencyKey == key).Select(j => new { j.Id, j.Number, j.Order, j.Ask, j.Status }).SingleOrDefaultAsync(ct);
        return job is null ? null : new SubmitResult.Accepted(job.Id, job.Number) { Order = job.Order, Ask = job.Status == JobStatus.AwaitingApproval ? job.Ask : null };
    }

    private async Task<SubmitResult> SaveAsync(TeamContext team, JobRequest request, QuotedOffer? chosen, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct); // immediate: the number is taken once

        var connection = await db.Connections.AsNoTracking()
            .SingleOrDefaultAsync(c => c.TeamId == team.TeamId && c.Id == request.ConnectionId && c.Status != ConnectionStatus.Removed, ct);
        if (connection is null)
        {
            return new SubmitResult.Invalid([new FieldProblem("ConnectionId", "This connection does not exist. Choose another one.")]);
        }

        if (connection.Status is ConnectionStatus.Paused)
        {
            return new SubmitResult.Invalid([new FieldProblem("ConnectionId", $"{connection.Name} is paused and rents nothing new. Resume it under Connections.")]);
        }

        if (connection.PricesOnly)
        {
            return new SubmitResult.Invalid([new FieldProblem("ConnectionId", $"{connection.Name} is for prices only and rents nothing. Let it rent under Connections, or choose another one.")]);
        }

        var project = await db.Projects.AsNoTracking()
            .Where(p => p.TeamId == team.TeamId && (request.ProjectId == null || p.Id == request.ProjectId))
            .OrderBy(p => p.CreatedAt).FirstOrDefaultAsync(ct);
        if (project is null)
        {
            return new SubmitResult.Invalid([new FieldProblem("ProjectId", "This project does not exist. Choose another one.")]);
        }

        var replaced = request.Replaces is { } earlier
            ? await db.Jobs.SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == earlier && j.CreatedBy == team.UserId && j.Status == JobStatus.AwaitingApproval && j.Cancel == null, ct)
            : null;
        if (request.Replaces is { } missing && replaced is null)
        {
            return new SubmitResult.Invalid([new FieldProblem("Replaces", $"#{missing} waits for approval no more, so it cannot be changed. Nothing was started, $0.00.")]);
        }

        var standing = await RoleLimitBook.StandingAsync(db, team.TeamId, team.UserId, team.Role, now, ct);
        var check = RoleCheck.Of(standing, team.Role, connection.Market.Simulated, request, chosen, budgets.Value.Terms);
        var row = await db.Teams.SingleAsync(t => t.Id == team.TeamId, ct);
        var job = new Job
        {
            Id = new JobId(Guid.CreateVersion7(now)),
            TeamId = team.TeamId,
            Number = row.NextJobNumber++,
            ProjectId = project.Id,
            CreatedBy = team.UserId,
            Name = request.Name.Trim(),
            Tags = request.Tags,
            Spec = request.Spec,
            ConnectionId = connection.Id,
            OfferId = request.Order is null ? request.OfferId : null, // offers do not last that long
            Needs = request.Needs,
            Limits = WithDeadline(request, check.Limits, now),
            Order = request.Order?.From(now),
            Ask = check.Ask,
            Estimate = chosen?.Estimate,
            MayPause = request.MayPause,
            IdempotencyKey = request.IdempotencyKey,
            CreatedAt = now,
            NextStepAt = check.Ask is null ? now : null, // a person moves it
        };
        if (check.Ask is null && Admission.Ask(db, job, chosen?.Offer.Rate, connection.Market.Simulated, budgets.Value.Terms, now) is { Budget: var full } refused)
        {
            return new SubmitResult.OverBudget(refused.Name, refused.Needed, full.Free < Money.Zero ? Money.Zero : full.Free, full.Limit, refused.MayPause, full.Scope == BudgetScope.Project);
        }

        db.Jobs.Add(job);
        db.JobEvents.Add(new JobEvent { TeamId = team.TeamId, JobId = job.Id, At = now, Kind = "submitted", Text = Submitted(request, check), PersonId = team.UserId });
        db.Outbox.Add(new OutboxMessage { TeamId = team.TeamId, Kind = "job.submitted", DedupKey = $"job.submitted/{job.Id}", Payload = $"{{\"job\":\"{job.Id}\"}}", At = now });
        if (replaced is not null)
        {
            Approvals.Withdrawn(db, replaced, job.Number, now);
        }

        if (check.Ask is not null)
        {
            job.MoveTo(JobStatus.AwaitingApproval, now); // money is promised to it once somebody has said yes
            Approvals.Asked(db, job, now);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it

        if (check.Ask is null)
        {
            nudge.Provision(job.Id);
        }

        if (replaced is not null)
        {
            changes.Publish(team.TeamId, replaced.Id);
        }

        changes.Publish(team.TeamId, job.Id);
        return new SubmitResult.Accepted(job.Id, job.Number) { Order = job.Order, Ask = job.Ask };
    }

    /// <summary>Limits that nobody typed are said.</summary>
    private static Said Submitted(JobRequest request, RoleCheck check)
    {
        var (cost, rate) = (check.Limits.MaxCost, check.Limits.MaxRate);
        var bounds = new[] { cost != request.Limits.MaxCost ? $"{cost!.Value.Words()} in all" : null, rate != request.Limits.MaxRate ? rate!.Value.Words() : null }.OfType<string>().ToList();
        return "Submitted." + Said.Money(bounds.Count == 0 ? "" : $" {(check.Ask is null ? "Without approval" : "Once approved")} it may cost at most {string.Join(" and ", bounds)}.");
    }
}
