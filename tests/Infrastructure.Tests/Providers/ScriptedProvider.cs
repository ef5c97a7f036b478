using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Tests.Providers;

/// <summary>What a provider answers on a route: exactly these bytes, or a broken connection.</summary>
internal sealed record Reply(int Status, string Body)
{
    public static readonly Reply Reset = new(0, "reset");

    /// <summary>Takes the request and never answers.</summary>
    public static readonly Reply Silence = new(0, "silence");

    /// <summary>The status and the first bytes of a longer body, then a broken connection.</summary>
    public static Reply CutOff(int status, string begin) => new(status, begin) { PromisedBytes = 100_000 };

    public string ContentType { get; init; } = "application/json";

    public string? Location { get; init; }

    /// <summary>The provider's own id of the request, as a header.</summary>
    public string? RequestId { get; init; }

    public long? PromisedBytes { get; init; }
}

/// <param name="Target">Path and query as sent.</param>
internal sealed record Received(string Method, string Target, string Path, IHeaderDictionary Headers, string Body);

/// <summary>Plays recorded answers over loopback, for faults that no healthy marketplace produces, and remembers every request.</summary>
internal sealed class ScriptedProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Reply>> _answers = new();
    private readonly CancellationTokenSource _ending = new();

    private ScriptedProvider(WebApplication app) => _app = app;

    public ConcurrentQueue<Received> Requests { get; } = new();

    public string BaseUrl { get; private set; } = "";

    public static async Task<ScriptedProvider> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var app = builder.Build();
        var provider = new ScriptedProvider(app);
        app.Run(provider.AnswerAsync);
        await app.StartAsync();
        provider.BaseUrl = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();
        return provider;
    }

    /// <summary>Answers a route with <paramref name="replies"/> in turn; the last one again and again.</summary>
    public ScriptedProvider On(string method, string path, params Reply[] replies)
    {
        _answers[$"{method} {path}"] = new ConcurrentQueue<Reply>(replies);
        return this;
    }

    public int Count(string method, string path) => Requests.Count(request => request.Method == method && request.Path == path);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _app.DisposeAsync();
        _ending.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        Requests.Enqueue(new Received(context.Request.Method, target, context.Request.Path, new HeaderDictionary(context.Request.Headers.ToDictionary()), await reader.ReadToEndAsync()));
        if (!_answers.TryGetValue($"{context.Request.Method} {context.Request.Path}", out var replies))
        {
            context.Response.StatusCode = 599;
            return;
        }

        if (!(replies.Count > 1 ? replies.TryDequeue(out var reply) : replies.TryPeek(out reply)) || reply == Reply.Reset)
        {
            context.Abort();
            return;
        }

        if (reply == Reply.Silence)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _ending.Token);
            var hang = new TaskCompletionSource();
            await using var registration = over.Token.Register(hang.SetResult);
            await hang.Task;
            context.Abort();
            return;
        }

        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = reply.ContentType;
        context.Response.ContentLength = reply.PromisedBytes;
        if (reply.Location is not null)
        {
            context.Response.Headers.Location = reply.Location;
        }

        if (reply.RequestId is not null)
        {
            context.Response.Headers["X-Request-Id"] = reply.RequestId;
        }

        await context.Response.WriteAsync(reply.Body);
        if (reply.PromisedBytes is not null)
        {
            await context.Response.Body.FlushAsync();
            context.Abort();
        }
    }
}
