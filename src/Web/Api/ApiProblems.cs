using System.Text.Json;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Connections;
using Dashboard.Web.Features.Jobs;
using Microsoft.AspNetCore.Diagnostics;

namespace Dashboard.Web.Api;

/// <summary>Refusals as problem details (RFC 9457), in the words the pages use.</summary>
internal static class ApiProblems
{
    public static bool IsApi(PathString path) => path.StartsWithSegments("/api");

    /// <summary>Answers without a body (no such address, wrong method or content type) become problem documents; the pages' "not found" is not for programs.</summary>
    public static void UseApiProblems(this WebApplication app) => app.Use(static async (context, next) =>
    {
        if (!IsApi(context.Request.Path))
        {
            await next(context);
            return;
        }

        if (context.Features.Get<IStatusCodePagesFeature>() is { } pages)
        {
            pages.Enabled = false;
        }

        await next(context);
        var response = context.Response;
        if (response.StatusCode >= StatusCodes.Status400BadRequest && !response.HasStarted && response.ContentLength is null && response.ContentType is null)
        {
            await Results.Problem(detail: "The API is described at /openapi/v1.json.", statusCode: response.StatusCode).ExecuteAsync(context);
        }
    });

    public static IResult NotFound(string what) => Results.Problem(title: "Not found.", detail: $"There is no {what} like this in your team.", statusCode: StatusCodes.Status404NotFound);

    public static IResult Conflict(string sentence) => Results.Problem(title: "Not now.", detail: sentence, statusCode: StatusCodes.Status409Conflict);

    public static IResult OverBudget(SubmitResult.OverBudget over) => Results.Problem(
        title: "A budget does not reach.", type: "over-budget", detail: over.Message + (over.MayPause ? " Lower limits.maxCostMicros, or send mayPause: true to have it saved and paused when the money ends." : " Lower limits.maxCostMicros."),
        statusCode: StatusCodes.Status409Conflict,
        extensions: new Dictionary<string, object?> { ["budget"] = over.Name, ["neededMicros"] = over.Needed.Micros, ["leftMicros"] = over.Left.Micros, ["limitMicros"] = over.Limit.Micros, ["mayPause"] = over.MayPause });

    public static IResult Invalid(IEnumerable<FieldProblem> problems) => Results.ValidationProblem(
        problems.GroupBy(p => WireName(p.Field), p => p.Message).ToDictionary(g => g.Key, g => g.ToArray()),
        title: "Some fields need a change. Nothing was started, it cost $0.00.", statusCode: StatusCodes.Status400BadRequest);

    public static IResult Of(ConnectionResult refused) => refused switch
    {
        ConnectionResult.Refused r => Results.ValidationProblem(
            new Dictionary<string, string[]> { [WireName(r.Field)] = [r.Message] }, title: "The connection was not saved.", statusCode: StatusCodes.Status400BadRequest),
        ConnectionResult.NotTested n => Results.Problem(title: "The provider could not be asked.", detail: n.Message, statusCode: StatusCodes.Status502BadGateway),
        ConnectionResult.InUse u => Conflict(u.Message),
        ConnectionResult.NotFound => NotFound("connection"),
        ConnectionResult.Saved => throw new InvalidOperationException("Not a refusal."),
        _ => throw new InvalidOperationException($"No answer for {refused.GetType().Name}."),
    };

    // Names of the use cases' fields as a caller of the API writes them: Limits.MaxCost is limits.maxCost.
    private static string WireName(string field) => field switch
    {
        "ConnectionId" => "connection",
        "OfferId" => "offer",
        "ProjectId" => "project",
        "IdempotencyKey" => "Idempotency-Key",
        _ => string.Join('.', field.Split('.').Select(JsonNamingPolicy.CamelCase.ConvertName)),
    };
}

/// <summary>What went wrong on the way to an answer of the API. Pages have an error page of their own.</summary>
internal sealed partial class ApiFaults(ILogger<ApiFaults> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        // The request's own path is already that of the error page.
        if (!ApiProblems.IsApi(httpContext.Features.Get<IExceptionHandlerPathFeature>()?.Path))
        {
            return false;
        }

        var (status, title, detail) = exception switch
        {
            PermissionDeniedException denied => (StatusCodes.Status403Forbidden, "Your role does not allow this.", denied.Message),
            BadHttpRequestException { InnerException: JsonException json } bad => (bad.StatusCode, "The body is not what this takes.", json.Message),
            BadHttpRequestException bad => (bad.StatusCode, "The request cannot be read.", bad.Message),
            RateLimitedException => (StatusCodes.Status503ServiceUnavailable, "The provider asked us to slow down.", "Try again in a minute."),
            MarketplaceException => (StatusCodes.Status502BadGateway, "The provider does not answer as expected.", "Nothing was rented, it cost $0.00. Try again in a minute."),
            _ => (StatusCodes.Status500InternalServerError, "Something broke here.", "The server's log has the details under this trace id. Running jobs are not affected."),
        };
        if (status == StatusCodes.Status500InternalServerError)
        {
            Broke(httpContext.Request.Method, exception); // the framework keeps silent about what a handler has answered
        }

        await Results.Problem(title: title, detail: detail, statusCode: status).ExecuteAsync(httpContext);
        return true;
    }

    [LoggerMessage(EventId = 3401, Level = LogLevel.Error, Message = "A {Method} of the API broke")]
    private partial void Broke(string method, Exception exception);
}
